"""Claims: which addresses a member answers for, on the wire and compared (DESIGN 8.1).

    head | epoch (4) | digest (8) | length of `after` (1), `after` | count (2)
    for each address: flags (1) | score (4) | hash (8) | address (4 or 16)

A frame either names addresses that changed, or all of a range (flag FULL): from `after`, which
is not in it, up to its last address, or to the end (flag FINAL). So every frame can be taken by
itself, and a lost one leaves only its own range old.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from orchestrator.layer2.shared.member_frame import (
    FINAL,
    FULL,
    Head,
    Kind,
    Refusal,
    encode_frame,
    room,
)

HASH_BYTES = 8
_START = struct.Struct("!IQB")
_COUNT = struct.Struct("!H")
_ENTRY = struct.Struct("!Bi8s")
_V6, _PROVISIONAL, _GONE, _YIELDED = 1, 2, 4, 8
_SIZES = (4, 16)
_LOWEST, _HIGHEST = -(1 << 31), (1 << 31) - 1

Key = bytes
"""An address as it is on the wire: 4 or 16 bytes; its hash costs less than an address object's."""


class Claim(NamedTuple):
    """What a claim is compared by; `provisional` was claimed while nobody could be heard."""

    score: int
    hash: bytes
    provisional: bool = False


class Entry(NamedTuple):
    """One address of a frame; without a claim it is given up, `yielded` to a better one."""

    key: Key
    claim: Claim | None
    yielded: bool = False


Standing = tuple[bool, bool, int, bytes, bytes]
"""Where a claim stands among others; the lower is the better."""


def standing(claim: Claim, fresh: bool, boot: bytes) -> Standing:
    """Order claims: not provisional, fresh, higher score, lower hash; boot ids break a tie."""
    return claim.provisional, not fresh, -claim.score, claim.hash, boot


@lru_cache(maxsize=65536)
def rank_hash(name: str, key: str) -> bytes:
    """Return the first bytes of sha256(NODE#ADDRESS), MetalLB's order of nodes (metallb.md 4.1)."""
    return hashlib.sha256(f"{name}#{key}".encode()).digest()[:HASH_BYTES]


def clamp(score: int) -> int:
    """Return a score as it fits into a claim."""
    return max(_LOWEST, min(_HIGHEST, score))


@dataclass(slots=True)
class ClaimSet:
    """All claims of one member; `digest` is the same whatever the order they came in."""

    claims: dict[Key, Claim] = field(default_factory=dict)
    digest: int = 0

    def put(self, key: Key, claim: Claim | None) -> None:
        """Add, replace or with None remove a claim."""
        old = self.claims.pop(key, None)
        if old is not None:
            self.digest ^= _mark(key, old)
        if claim is not None:
            self.claims[key] = claim
            self.digest ^= _mark(key, claim)

    def clear(self) -> None:
        """Remove all claims."""
        self.claims.clear()
        self.digest = 0


def _mark(key: Key, claim: Claim) -> int:
    packed = _ENTRY.pack(_PROVISIONAL if claim.provisional else 0, claim.score, claim.hash)
    return int.from_bytes(hashlib.sha256(packed + key).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class Claims:
    """One frame of claims; `digest` is that of all the sender's claims at `epoch`.

    `after` None means a change, else the frame holds all claims of a range.
    """

    head: Head
    epoch: int
    digest: int
    entries: tuple[Entry, ...]
    after: Key | None = None

    @property
    def final(self) -> bool:
        """Tell whether the range has no end."""
        return bool(self.head.flags & FINAL)

    def missing(self, held: Iterable[Key]) -> list[Key]:
        """Return which of `held` lie in the range and are claimed no longer."""
        if self.after is None:
            return []
        low = _order(self.after)
        high = None if self.final or not self.entries else _order(self.entries[-1].key)
        named = {entry.key for entry in self.entries}
        return [
            key
            for key in held
            if key not in named and low < _order(key) and (high is None or _order(key) < high)
        ]


def _order(key: Key) -> tuple[int, Key]:
    return len(key), key


def ranges(claims: Mapping[Key, Claim], name: str) -> Iterator[tuple[Key, tuple[Entry, ...], int]]:
    """Split all claims over frames: the address before, the entries, and the flags of each."""
    ordered = sorted((Entry(key, claim) for key, claim in claims.items()), key=_by_address)
    after: Key = b""
    pieces = list(split(ordered, name)) or [()]
    for piece in pieces:
        yield after, piece, FULL | (FINAL if piece is pieces[-1] else 0)
        after = piece[-1].key if piece else after


def _by_address(entry: Entry) -> tuple[int, Key]:
    return _order(entry.key)


def split(entries: Iterable[Entry], name: str) -> Iterator[tuple[Entry, ...]]:
    """Split entries over as few frames as hold them, in their order."""
    space = room(name) - _START.size - max(_SIZES) - _COUNT.size
    piece: list[Entry] = []
    left = space
    for entry in entries:
        size = _ENTRY.size + len(entry.key)
        if size > left:
            yield tuple(piece)
            piece, left = [], space
        piece.append(entry)
        left -= size
    if piece:
        yield tuple(piece)


def encode_claims(frame: Claims, keys: tuple[bytes, ...]) -> bytes:
    """Return the payload of a frame of claims."""
    after = frame.after or b""
    body = _START.pack(frame.epoch, frame.digest, len(after)) + after
    body += _COUNT.pack(len(frame.entries)) + b"".join(map(_encode_entry, frame.entries))
    return encode_frame(frame.head, Kind.CLAIMS, body, keys)


def _encode_entry(entry: Entry) -> bytes:
    claim = entry.claim or Claim(0, bytes(HASH_BYTES))
    flags = _V6 if len(entry.key) == max(_SIZES) else 0
    flags |= _PROVISIONAL if claim.provisional else 0
    flags |= 0 if entry.claim else _GONE
    flags |= _YIELDED if entry.yielded else 0
    return _ENTRY.pack(flags, claim.score, claim.hash) + entry.key


def decode_claims(head: Head, body: bytes) -> Claims | Refusal:
    """Read the body of a frame of claims."""
    if len(body) < _START.size:
        return Refusal.TRUNCATED
    epoch, digest, length = _START.unpack_from(body)
    start = _START.size + length
    if length not in (0, *_SIZES) or len(body) < start + _COUNT.size:
        return Refusal.LENGTH
    (count,) = _COUNT.unpack_from(body, start)
    entries = _entries(body, start + _COUNT.size, count)
    if entries is None:
        return Refusal.LENGTH
    after = body[_START.size : start] if head.flags & FULL else None
    return Claims(head, epoch, digest, entries, after)


def _entries(body: bytes, at: int, count: int) -> tuple[Entry, ...] | None:
    """Read `count` entries, None unless they fill the body."""
    found = []
    for _ in range(count):
        if len(body) < at + _ENTRY.size:
            return None
        flags, score, mark = _ENTRY.unpack_from(body, at)
        at += _ENTRY.size
        key = body[at : at + _SIZES[flags & _V6]]
        if len(key) != _SIZES[flags & _V6]:
            return None
        at += len(key)
        claim = None if flags & _GONE else Claim(score, mark, bool(flags & _PROVISIONAL))
        found.append(Entry(key, claim, bool(flags & _YIELDED)))
    return tuple(found) if at == len(body) else None
