"""Routes as they are on the wire of one session: every default of the protocol made explicit.

What we want, what ExaBGP says it holds and what it says it sent are brought to this one form, so
that they can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.model.address import Family, IPAddress, IPNetwork, family_of
from orchestrator.model.policy import Peer
from orchestrator.model.route import PathAttributes, Route

DEFAULT_LOCAL_PREF = 100
"""What ExaBGP sends on iBGP when none is given (RFC 4271 5.1.5 leaves the value to us)."""


@dataclass(frozen=True, slots=True)
class Link:
    """What of a session decides how its routes look on the wire."""

    address: IPAddress
    """The peer's address, by which ExaBGP names the session."""
    local_asn: int
    peer_asn: int
    families: tuple[Family, ...]
    local_address: IPAddress | None = None
    """Own end of the session, the next hop `self`; None while it is not known."""

    @property
    def ibgp(self) -> bool:
        """Tell whether both ends are in one AS."""
        return self.local_asn == self.peer_asn

    def canonical(self, attributes: PathAttributes) -> PathAttributes:
        """Fill in what the protocol would: next hop self, local preference, own AS."""
        return replace(
            attributes,
            next_hop=attributes.next_hop or self.local_address,
            local_pref=self._local_pref(attributes),
            as_path=attributes.as_path or (() if self.ibgp else (self.local_asn,)),
            communities=tuple(sorted(set(attributes.communities))),
            large_communities=tuple(sorted(set(attributes.large_communities))),
        )

    def _local_pref(self, attributes: PathAttributes) -> int | None:
        if not self.ibgp:
            return None
        return DEFAULT_LOCAL_PREF if attributes.local_pref is None else attributes.local_pref

    def refusal(self, route: Route) -> str | None:
        """Say why `route` cannot be sent in this session, or None when it can."""
        prefix, attributes = route.prefix, route.attributes
        if family_of(prefix) not in self.families:
            return f"the session does not carry {family_of(prefix)} routes"
        hop = attributes.next_hop or self.local_address or self.address
        if family_of(hop) is not family_of(prefix):
            return f"no {family_of(prefix)} next hop is known (DESIGN 5, rule 16)"
        if attributes.as_path and not self.ibgp and attributes.as_path[0] != self.local_asn:
            return f"its AS path does not begin with the own AS {self.local_asn}"
        return _out_of_range(attributes)


def _out_of_range(attributes: PathAttributes) -> str | None:
    """Name the first number that does not fit its field (RFC 4271, 1997, 8092, 6793)."""
    words = [
        *(("MED", attributes.med),) * (attributes.med is not None),
        *(("local preference", attributes.local_pref),) * (attributes.local_pref is not None),
        *(("AS number", asn) for asn in attributes.as_path),
        *(
            ("large community", part)
            for large in attributes.large_communities
            for part in (large.administrator, large.data1, large.data2)
        ),
    ]
    halves = [half for one in attributes.communities for half in (one.high, one.low)]
    for name, number in words:
        if number is None or not 0 <= number < 1 << 32:
            return f"{name} {number} is not a 32-bit number"
    for half in halves:
        if not 0 <= half < 1 << 16:
            return f"community part {half} is not a 16-bit number"
    return None


def link_of(peer: Peer, address: IPAddress, local_address: IPAddress | None) -> Link:
    """Return what routes of a session with `peer` at `address` depend on."""
    return Link(
        address=address,
        local_asn=peer.session_asn,
        peer_asn=peer.peer_asn or 0,
        families=peer.families,
        local_address=peer.source_address or local_address,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one prefix in one session; `attributes` None withdraws it."""

    prefix: IPNetwork
    attributes: PathAttributes | None
