"""Routes as they are on the wire of one session: every default of the protocol made explicit.

What we want, what ExaBGP says it holds and what it says it sent are brought to this one form, so
that they can be compared.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from orchestrator.model.address import Family, IPAddress, IPNetwork, family_of
from orchestrator.model.policy import Peer
from orchestrator.model.route import PathAttributes, Route

DEFAULT_LOCAL_PREF = 100
"""What ExaBGP sends on iBGP when none is given (RFC 4271 5.1.5 leaves the value to us)."""
PROBE: IPNetwork = IPv4Network("192.0.0.8/32")
"""Withdrawn where it is not known what was negotiated: ExaBGP tells it with each UPDATE only.

No one announces this address (RFC 7600), and a withdraw of what a peer does not hold does nothing.
"""


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
    extended_next_hop: bool | None = False
    """Whether IPv4 routes may have an IPv6 next hop (RFC 8950); None while it is not known."""

    @property
    def ibgp(self) -> bool:
        """Tell whether both ends are in one AS."""
        return self.local_asn == self.peer_asn

    def agreed(self, families: Collection[Family] | None, extended_next_hop: bool | None) -> Link:
        """Leave what the other end agreed to carry as well; None where that is not known."""
        common = tuple(one for one in self.families if families is None or one in families)
        extended = self.extended_next_hop
        if extended is None:
            extended = Family.IPV4 in common and extended_next_hop
        return replace(self, families=common, extended_next_hop=extended)

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
        if self.is_undecided(route):
            return "it is not known yet whether the peer takes IPv6 next hops (RFC 8950)"
        hop = attributes.next_hop or self.local_address or self.address
        fits = family_of(hop) is family_of(prefix)
        if not fits and not (self.extended_next_hop and _is_extended(route)):
            return f"no {family_of(prefix)} next hop is known (DESIGN 5, rule 16)"
        if attributes.as_path and not self.ibgp and attributes.as_path[0] != self.local_asn:
            return f"its AS path does not begin with the own AS {self.local_asn}"
        return _out_of_range(attributes)

    def is_undecided(self, route: Route) -> bool:
        """Tell whether `route` can be sent only if the session turns out to be fit for RFC 8950."""
        return self.extended_next_hop is None and _is_extended(route)


def _is_extended(route: Route) -> bool:
    """Tell whether it is an IPv4 route with an IPv6 next hop; `self` would be the router id."""
    hop = route.attributes.next_hop
    return hop is not None and hop.version == 6 and route.prefix.version == 4


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
        peer_asn=peer.peer_asn,
        families=peer.families,
        local_address=peer.source_address or local_address,
        extended_next_hop=None if peer.offers_extended_next_hop else False,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one prefix in one session; `attributes` None withdraws it."""

    prefix: IPNetwork
    attributes: PathAttributes | None
