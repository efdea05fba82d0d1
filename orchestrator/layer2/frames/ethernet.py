"""Ethernet: hardware addresses and the head of a frame (IEEE 802.3)."""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

ARP_TYPE = 0x0806
IPV6_TYPE = 0x86DD
_HEAD = struct.Struct("!6s6sH")
HEAD_LENGTH = _HEAD.size


class MAC(bytes):
    """A hardware address of 6 bytes, written as `00:00:5e:00:01:33`."""

    __slots__ = ()

    def __new__(cls, octets: bytes) -> Self:
        """Take 6 bytes. Raises ValueError for any other number."""
        if len(octets) != 6:
            raise ValueError(f"a hardware address has 6 bytes, not {len(octets)}")
        return super().__new__(cls, octets)

    def __str__(self) -> str:
        return self.hex(":")

    @property
    def is_multicast(self) -> bool:
        """Tell whether it is the address of a group; broadcast is one."""
        return bool(self[0] & 1)


BROADCAST = MAC(b"\xff" * 6)
NOBODY = MAC(bytes(6))


class Head(NamedTuple):
    """Who a frame is for, who it is from, and what it carries."""

    target: MAC
    source: MAC
    type: int

    def encode(self) -> bytes:
        """Return the 14 bytes before the payload."""
        return _HEAD.pack(self.target, self.source, self.type)


def decode_head(frame: bytes) -> Head | None:
    """Read the head of a frame, None where it is cut short."""
    if len(frame) < HEAD_LENGTH:
        return None
    target, source, kind = _HEAD.unpack_from(frame)
    return Head(MAC(target), MAC(source), kind)
