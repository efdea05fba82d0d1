"""The head of every frame between members of a segment, and the causes that a frame is refused for.

A frame looks like VRRP version 3 of type 15, which every VRRP router discards (RFC 9568 5.2.2), and
has its checksum where VRRP has it:

    0x3F | VRID | format | kind | flags | 0 | checksum (2)
    boot id (8) | counter (8) | interface index (4) | length of the name (1) | name
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum

from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.shared.trailer import HMAC_BYTES, SIGNED, SealError, seal, unseal

LONGEST = 1400
"""Bytes of a frame: it passes tunnels and is never fragmented."""
BOOT_ID_BYTES = 8
FRESH, PARTIAL, FULL, FINAL, ROUTINE = 0x01, 0x02, 0x04, 0x08, 0x10
"""Flags: the speaker is fresh; not all reports fit; all claims of a range; the last range; a hello
that says what the one before it said, so that it may be read when there is something else to do."""
VERSION_AND_TYPE = 0x3F
KIND_AT, FLAGS_AT = 3, 4
"""Where a frame has its kind and its flags."""
_FORMAT = 1
_HEAD = struct.Struct("!BBBBBBH8sQIB")


class Refusal(Enum):
    """Why a frame changes nothing."""

    TTL = "ttl"
    TRUNCATED = "truncated"
    VERSION = "version"
    TYPE = "type"
    OTHER_VRID = "otherVRID"
    FORMAT = "format"
    CHECKSUM = "checksum"
    HMAC = "hmac"
    LENGTH = "length"
    NAME = "name"
    INTERVAL = "interval"
    STATE = "state"
    REPLAY = "replay"
    LATE = "late"
    REPLACED_BOOT = "replacedBoot"
    SAME_NAME = "sameName"
    OTHER_PORT = "otherPort"
    STRANGER = "stranger"
    OWN = "own"
    CROWDED = "crowded"


class Kind(IntEnum):
    """What a frame carries."""

    HELLO = 1
    CLAIMS = 2


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Head:
    """Who sent a frame: `boot` is drawn anew at every start, `counter` grows with every frame.

    `port` is the sender's index of the interface it was sent from.
    """

    vrid: int
    boot: bytes
    counter: int
    port: int
    name: str
    flags: int = 0

    @property
    def fresh(self) -> bool:
        """Tell whether the sender's plan is up to date."""
        return bool(self.flags & FRESH)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a frame must match: the number of the installation and its keys."""

    vrid: int
    keys: tuple[bytes, ...] = ()


def room(name: str) -> int:
    """Return how many bytes a frame of `name` has for its body."""
    return LONGEST - _HEAD.size - len(name.encode()) - HMAC_BYTES


def encode_frame(head: Head, kind: Kind, body: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Return the payload of an IP packet, sealed with the first of `keys`."""
    name = head.name.encode()
    first = (VERSION_AND_TYPE, head.vrid, _FORMAT, kind, head.flags, 0, 0)
    start = _HEAD.pack(*first, head.boot, head.counter, head.port, len(name))
    return seal(start + name + body, keys)


def decode_frame(packet: Packet, lock: Lock) -> tuple[Kind, Head, bytes] | Refusal:
    """Read a frame's head; what does not pass every check is refused with the first that fails."""
    payload = packet.payload
    refusal = _shape(packet, lock.vrid)
    if refusal is not None:
        return refusal
    message = unseal(payload, lock.keys)
    if isinstance(message, SealError):
        return Refusal(message.value)
    *_, kind, flags, _, _, boot, counter, port, length = _HEAD.unpack_from(message)
    if kind not in _KINDS:
        return Refusal.FORMAT
    name = _name(message, length)
    if name is None:
        return Refusal.NAME
    head = Head(payload[1], boot, counter, port, name, flags & ~SIGNED)
    return _KINDS[kind], head, message[_HEAD.size + length :]


def _shape(packet: Packet, vrid: int) -> Refusal | None:
    """Check what needs no key; the cheap checks come first, since a storm meets them all."""
    payload = packet.payload
    if packet.ttl != TTL:
        return Refusal.TTL
    if len(payload) < _HEAD.size:
        return Refusal.TRUNCATED
    if payload[0] >> 4 != VERSION_AND_TYPE >> 4:
        return Refusal.VERSION
    if payload[0] != VERSION_AND_TYPE:
        return Refusal.TYPE
    if payload[1] != vrid:
        return Refusal.OTHER_VRID
    return None if payload[2] == _FORMAT else Refusal.FORMAT


def _name(message: bytes, length: int) -> str | None:
    raw = message[_HEAD.size : _HEAD.size + length]
    if len(raw) != length or not raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
