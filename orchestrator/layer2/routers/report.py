"""What there is to tell of virtual routers: states, who was heard, and counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.layer2.actions import RouterState
from orchestrator.layer2.frames.vrrp import Rejection
from orchestrator.model.address import Family, IPAddress


@dataclass(frozen=True, slots=True)
class Heard:
    """The latest advert of another router that was accepted and is not of priority 0."""

    address: IPAddress
    priority: int
    interval_s: float
    at: float


@dataclass(slots=True)
class Counters:
    """Counts since the router was configured, by keepalived's words where it has one.

    `adverts_sent` counts an advert once, to however many peers it goes. `address_list_errors` and
    `interval_differences` are of adverts that were heeded nevertheless; `owner_conflicts` counts
    adverts of priority 255 that an owner heard.
    """

    adverts_received: int = 0
    adverts_sent: int = 0
    became_master: int = 0
    released_master: int = 0
    priority_zero_received: int = 0
    priority_zero_sent: int = 0
    address_list_errors: int = 0
    interval_differences: int = 0
    owner_conflicts: int = 0
    rejected: Counter[Rejection] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class RouterReport:
    """One virtual router; times are of the monotonic clock, `reason` says why it is in `state`."""

    name: str
    interface: str
    vrid: int
    version: int
    family: Family
    state: RouterState
    since: float
    reason: str
    priority: int
    effective_priority: int
    addresses: tuple[IPAddress, ...]
    heard: Heard | None
    counters: Counters


@dataclass(frozen=True, slots=True)
class Report:
    """All virtual routers, and what was rejected that belongs to none of them, by port."""

    routers: tuple[RouterReport, ...]
    rejected: Mapping[tuple[str, Rejection], int]
