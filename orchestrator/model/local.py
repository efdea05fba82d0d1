"""What only this node knows: its interfaces, its health checks, whether it drains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.address import Family, Interface, IPAddress, family_of
from orchestrator.model.virtual_ip import Health


class DrainPhase(Enum):
    """How far a drain is: routes made unattractive first, then withdrawn (CLI.md, `drain`)."""

    NONE = "none"
    DEPRIORITISED = "deprioritised"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Local:
    """The view of this node, an input of the planner.

    `node` None plans every node. `interfaces` None means that the node's addresses are not known
    (an offline plan). `source_interfaces` names, by peer address, the interface that the kernel
    routes the session over where that is not evident from `interfaces`. `down` are nodes to be
    treated as dead. `extended_next_hops` names peers that take IPv4 routes with an IPv6 next hop
    (RFC 8950), also those of which that is not known yet: the backend holds back what it must.
    Who `allocates` gives addresses; a speaker in a cluster goes by those in each Service's status.
    `anywhere` asks only whether any node announces each address: nodes that are alike are judged
    once, and there are no sessions and RIBs.
    """

    node: str | None = None
    interfaces: Mapping[str, tuple[Interface, ...]] | None = None
    source_interfaces: Mapping[IPAddress, str] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    drain: DrainPhase = DrainPhase.NONE
    down: frozenset[str] = frozenset()
    held: Mapping[str, tuple[IPAddress, ...]] = field(default_factory=dict)
    lb_class: str | None = None
    ignore_exclude_label: bool = False
    allocates: bool = True
    anywhere: bool = False
    extended_next_hops: frozenset[str] = frozenset()

    def address_of(self, interface: str, family: Family) -> IPAddress | None:
        """First address of `family` on `interface` that a peer can use as next hop, if any."""
        for candidate in (self.interfaces or {}).get(interface, ()):
            if family_of(candidate.ip) is family and not candidate.ip.is_link_local:
                return candidate.ip
        return None
