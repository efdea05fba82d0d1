"""What a running node can add to a plan: how far each route really got."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.model.address import Family, IPAddress, IPNetwork
from orchestrator.model.layer2_report import Layer2Report
from orchestrator.model.session_state import RouteStatus, SessionState


@dataclass(frozen=True, slots=True)
class Live:
    """Session states by peer, the state of each route, what is not bound, what checks saw.

    `unbound` maps an address that is held back to the reason, until it is on its interface.
    `details` maps a VirtualIP to what its check saw last, such as `HTTP 503`. `layer2` is None
    while nothing is known of the layer2 process. `unheard` says why nothing at all is known of the
    node; empty where something is. `doubts` says, by peer and family, why a route may not be sent
    that should be.
    """

    sessions: Mapping[str, SessionState]
    route_status: Callable[[str, IPNetwork], RouteStatus]
    unbound: Mapping[IPAddress, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    layer2: Layer2Report | None = None
    unheard: str = ""
    doubts: Mapping[tuple[str, Family], str] = field(default_factory=dict)
