"""What the layer2 process says of itself: segments, members, who owns what, virtual routers.

All moments are seconds of this host's monotonic clock, which its processes share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.address import IPAddress


@dataclass(frozen=True, slots=True)
class MemberReport:
    """A member of a segment; `state` is what it said last, `heard_at` when we heard it last."""

    node: str
    state: str
    heard_at: float
    alive: bool = True


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment as this node sees it.

    `counted` is false for one that is answered on but has no weight in verdicts and metrics
    (DESIGN 8.1). `merged_into` names the interface that answers in its stead.
    """

    interface: str
    state: str
    counted: bool = True
    merged_into: str | None = None
    members: tuple[MemberReport, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnerReport:
    """Who claims an address on one segment, and what this node did about it.

    `owner` is None while nobody claims it. `conflict` is the MAC of a stranger that says it has the
    address, `kernel_answers` the member whose kernel answers for it; empty for none.
    """

    interface: str
    owner: str | None
    since: float
    wanted: bool
    answered: int = 0
    gratuitous: int = 0
    conflict: str = ""
    kernel_answers: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that an operator has to look at on a segment of this node.

    `code` is that of the problem. `address` is None for what is about the whole segment. `by` is who
    does it: the MAC of a stranger, or the name of a member; empty where it is nobody's doing.
    """

    code: str
    interface: str
    message: str
    address: IPAddress | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class RouterReport:
    """A virtual router: its state, who is master as far as heard, and its counters by name."""

    name: str
    interface: str
    vrid: int
    version: int
    state: str
    since: float
    reason: str
    priority: int
    effective_priority: int
    addresses: tuple[str, ...]
    master: str | None = None
    heard_at: float | None = None
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late timers were: how many were at most each bound (seconds), all of them, their sum."""

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    sum_s: float = 0.0
    longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Layer2Report:
    """All of it. `refused` counts frames by interface and cause; `problems` are in words by code."""

    segments: tuple[SegmentReport, ...] = ()
    owners: Mapping[IPAddress, tuple[OwnerReport, ...]] = field(default_factory=dict)
    routers: tuple[RouterReport, ...] = ()
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failovers: int = 0
    step_backs: int = 0
    lateness: Lateness = field(default_factory=Lateness)
    limits: tuple[str, ...] = ()
