"""BGP communities: standard (RFC 1997) and large (RFC 8092), always written as numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Community:
    """A standard community of two 16-bit numbers (RFC 1997)."""

    high: int
    low: int

    def __str__(self) -> str:
        return f"{self.high}:{self.low}"


@dataclass(frozen=True, slots=True, order=True)
class LargeCommunity:
    """A large community of three 32-bit numbers (RFC 8092)."""

    administrator: int
    data1: int
    data2: int

    def __str__(self) -> str:
        return f"{self.administrator}:{self.data1}:{self.data2}"


GRACEFUL_SHUTDOWN = Community(65535, 0)
"""RFC 8326: the receiver prefers any other path; the session is about to go."""
