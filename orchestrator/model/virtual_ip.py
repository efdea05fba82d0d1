"""A VirtualIP: an address of a box without Kubernetes, with its health check (DESIGN 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.address import IPAddress
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.selector import Labels


class Health(Enum):
    """What the check says; `DISABLED` is an operator's disable file."""

    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"


class OnDown(Enum):
    """What happens to the routes of a VIP that is not up."""

    WITHDRAW = "withdraw"
    DEMOTE = "demote"


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """GET `scheme://host:port/path`; good when the status is in `statuses` (empty: 200-399)."""

    host: str
    port: int
    path: str = "/"
    scheme: str = "http"
    statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Good when a TCP connection to `host:port` is accepted."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ExecProbe:
    """Good when the command (no shell) ends with status 0."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """How health is found out. All times in milliseconds.

    `fast_interval_ms` is used while the state may be about to change (fewer than `rise` or `fall`
    results in a row). `disable_file`: while it exists the state is disabled.
    """

    probe: HttpProbe | TcpProbe | ExecProbe
    interval_ms: int = 2000
    fast_interval_ms: int = 500
    timeout_ms: int = 1000
    rise: int = 2
    fall: int = 3
    disable_file: str | None = None


@dataclass(frozen=True, slots=True)
class PathByHealth:
    """Attributes that a VIP's routes carry in one state of health, besides the advertisement's."""

    med: int | None = None
    communities: frozenset[Community] = frozenset()
    large_communities: frozenset[LargeCommunity] = frozenset()


@dataclass(frozen=True, slots=True)
class VirtualIP:
    """One VIP: explicit `addresses`, or `pool` to draw from.

    `bind` is the interface the addresses are put on before they are announced; None leaves that to
    somebody else. `paths` holds MED and communities per state of health.
    """

    name: str
    addresses: tuple[IPAddress, ...] = ()
    pool: str | None = None
    labels: Labels = field(default_factory=dict)
    ports: frozenset[tuple[str, int]] = frozenset()
    bind: str | None = "lo"
    check: Check | None = None
    on_down: OnDown = OnDown.WITHDRAW
    paths: Mapping[Health, PathByHealth] = field(default_factory=dict)
    created: str = ""
