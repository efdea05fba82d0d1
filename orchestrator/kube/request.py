"""A request that is under way: what it is for, and what has come of its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

LONGEST_LIST = 256 * 1024 * 1024
LONGEST_REFUSAL = 64 * 1024
"""Bytes of a refusal that are read; whatever is behind them is left out."""


class Purpose(Enum):
    """What is asked: a page of all there is, every change, or only the server's version."""

    LIST = "list"
    WATCH = "watch"
    PROBE = "probe"


@dataclass(slots=True)
class Request:
    """One request; `at` is when it was made or last got anything of its answer."""

    number: int
    purpose: Purpose
    at: float
    status: int = 0
    begun: float = 0.0
    retry_after_s: float = 0.0
    _pieces: list[bytes] = field(default_factory=list)
    _size: int = 0

    @property
    def streams(self) -> bool:
        """Tell whether what comes are the lines of a watch."""
        return self.purpose is Purpose.WATCH and self.status == 200

    def answer(self, status: int, retry_after_s: float, now: float) -> None:
        """Take the head of the answer."""
        self.status, self.retry_after_s = status, retry_after_s
        self.at = self.begun = now

    def collect(self, data: bytes) -> bool:
        """Keep a piece of a whole answer; False when a list is longer than is good for anybody."""
        self._size += len(data)
        if self._size <= (LONGEST_LIST if self.status == 200 else LONGEST_REFUSAL):
            self._pieces.append(data)
            return True
        return self.status != 200

    @property
    def body(self) -> bytes:
        """What was kept."""
        return b"".join(self._pieces)
