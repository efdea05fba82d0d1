"""Hellos: a member says that it lives, and whom it has heard (DESIGN 8.1).

The body after the head:

    state (1) | interval in ms (2) | epoch (4) and digest (8) of its claims | count (2)
    for each member heard: boot id (8) | age of the hearing in ms (2) | epoch of its claims held (4)
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from orchestrator.layer2.shared.member_frame import PARTIAL, Head, Kind, Refusal, encode_frame, room

OLDEST_MS = 0xFFFF
LONGEST_INTERVAL_S = 60.0
_BODY = struct.Struct("!BHIQH")
_REPORT = struct.Struct("!8sHI")


class State(IntEnum):
    """What the sender is doing on the segment."""

    LISTENING = 1
    MEMBER = 2
    ISOLATED = 3
    LEAVING = 4


_STATES = {state.value: state for state in State}


class Report(NamedTuple):
    """The sender's own last hearing of a member; `epoch` of its claims that it holds, 0 for none."""

    boot: bytes
    age_ms: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Hello:
    """One hello; `partial` says that not all reports fitted and others come with the next."""

    head: Head
    state: State
    interval_s: float
    epoch: int
    digest: int
    reports: tuple[Report, ...] = ()

    @property
    def partial(self) -> bool:
        """Tell whether a member that is not listed may have been heard."""
        return bool(self.head.flags & PARTIAL)


def capacity(name: str) -> int:
    """Return how many reports a hello of `name` has room for."""
    return (room(name) - _BODY.size) // _REPORT.size


def window(reports: Sequence[Report], name: str, turn: int) -> tuple[Report, ...]:
    """Return the reports that fit; where not all do, each turn begins where the last one ended."""
    size = capacity(name)
    if len(reports) <= size:
        return tuple(reports)
    start = turn * size % len(reports)
    return tuple(reports[start : start + size]) + tuple(
        reports[: max(0, start + size - len(reports))]
    )


def encode_hello(hello: Hello, keys: tuple[bytes, ...]) -> bytes:
    """Return the payload of a hello."""
    interval_ms = round(hello.interval_s * 1000)
    body = _BODY.pack(hello.state, interval_ms, hello.epoch, hello.digest, len(hello.reports))
    body += b"".join(_REPORT.pack(*report) for report in hello.reports)
    return encode_frame(hello.head, Kind.HELLO, body, keys)


def decode_hello(head: Head, body: bytes) -> Hello | Refusal:
    """Read the body of a hello."""
    if len(body) < _BODY.size:
        return Refusal.TRUNCATED
    state, interval_ms, epoch, digest, count = _BODY.unpack_from(body)
    if len(body) != _BODY.size + count * _REPORT.size:
        return Refusal.LENGTH
    if not 0 < interval_ms <= LONGEST_INTERVAL_S * 1000:
        return Refusal.INTERVAL
    if state not in _STATES:
        return Refusal.STATE
    reports = tuple(map(Report._make, _REPORT.iter_unpack(body[_BODY.size :])))
    return Hello(head, _STATES[state], interval_ms / 1000, epoch, digest, reports)
