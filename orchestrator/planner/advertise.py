"""The RIB of every peer: which routes an announced address becomes (metallb.md 5.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from orchestrator.model.address import Family, Interface, IPAddress, IPNetwork, family_of
from orchestrator.model.community import GRACEFUL_SHUTDOWN
from orchestrator.model.local import Local
from orchestrator.model.policy import BGPAdvertisement, Peer
from orchestrator.model.route import PathAttributes, Rib, Route
from orchestrator.model.virtual_ip import PathByHealth

DEFAULT_LOCAL_PREF = 100
"""What a router assumes where LOCAL_PREF is not sent (RFC 4271 leaves it to it; all use 100)."""
OWN_PATH = PathByHealth()


@dataclass(frozen=True, slots=True)
class NextHop:
    """A usable next hop; `address` None is the session's own."""

    address: IPAddress | None


@dataclass(frozen=True, slots=True)
class Outlet:
    """One way out of this node: a peer, a prefix length, and the attributes routes get there."""

    peer: str
    length: int
    attributes: PathAttributes


def next_hop(peer: Peer, family: Family, wanted: IPAddress | None, local: Local) -> NextHop | None:
    """Return the next hop for routes of `family`, or None where there is none that works.

    Never `self` for the other family (DESIGN 5, rule 16): that needs an address of this node on
    the session's interface, or a peer that takes an IPv6 next hop for IPv4 routes (RFC 8950).
    """
    if wanted is not None and family_of(wanted) is family:
        return NextHop(wanted)
    if peer.session_family is family or local.interfaces is None:
        return NextHop(None)
    interface = session_interface(peer, local)
    address = local.address_of(interface, family) if interface else None
    if address is None and family is Family.IPV4 and peer.name in local.extended_next_hops:
        address = _own_end(peer, interface, local)
    return NextHop(address) if address else None


def _own_end(peer: Peer, interface: str | None, local: Local) -> IPAddress | None:
    """Return this node's address in an IPv6 session."""
    if peer.source_address is not None:
        return ipaddress.IPv6Address(int(peer.source_address))  # without its zone
    if interface is None:
        return None
    return local.address_of(interface, Family.IPV6)


def session_interface(peer: Peer, local: Local) -> str | None:
    """Return the interface the session to `peer` runs over, None when it is not known."""
    if peer.address in local.source_interfaces:
        return local.source_interfaces[peer.address]
    for name, addresses in (local.interfaces or {}).items():
        if any(_is_on_session(address, peer) for address in addresses):
            return name
    return None


def _is_on_session(own: Interface, peer: Peer) -> bool:
    if peer.source_address is not None:
        return own.ip == peer.source_address
    return peer.address in own.network


def outlets(
    peers: Iterable[Peer],
    advertisements: Iterable[BGPAdvertisement],
    family: Family,
    path: PathByHealth,
    local: Local,
) -> tuple[tuple[Outlet, ...], tuple[str, ...]]:
    """Return the ways out for addresses of `family`, and the peers that lack a next hop."""
    found: list[Outlet] = []
    missing: list[str] = []
    advertisements = tuple(advertisements)
    for peer in peers:
        if family not in peer.families:
            continue
        for advertisement in advertisements:
            if advertisement.peers and peer.name not in advertisement.peers:
                continue
            hop = next_hop(peer, family, advertisement.next_hop, local)
            if hop is None:
                missing.append(peer.name)
                continue
            attributes = _attributes(peer, advertisement, path, hop)
            found.append(Outlet(peer.name, advertisement.aggregation(family), attributes))
    return tuple(found), tuple(missing)


def _attributes(
    peer: Peer, advertisement: BGPAdvertisement, path: PathByHealth, hop: NextHop
) -> PathAttributes:
    """Attributes of one advertisement's routes to one peer.

    LOCAL_PREF stays inside an AS (RFC 4271 5.1.5). An explicit AS path on eBGP begins with the own
    AS; on iBGP the own AS in the path would be a loop (RFC 4271 9.1.2), so nothing is prepended.
    """
    own = (peer.session_asn,) * (advertisement.as_path_prepend + 1)
    prepended = advertisement.as_path_prepend > 0 and not peer.ibgp
    large = advertisement.large_communities | path.large_communities
    return PathAttributes(
        next_hop=hop.address,
        local_pref=advertisement.local_pref if peer.ibgp else None,
        med=advertisement.med if path.med is None else path.med,
        communities=tuple(sorted(advertisement.communities | path.communities)),
        large_communities=tuple(sorted(large)),
        as_path=own if prepended else (),
    )


@lru_cache(maxsize=131072)
def prefix_of(address: IPAddress, length: int) -> IPNetwork:
    """Return the network of `length` bits that holds `address`."""
    if length == address.max_prefixlen:
        return ipaddress.ip_network(address)
    return ipaddress.ip_network((address, length), strict=False)


def merge(one: Route, other: Route) -> Route:
    """Unite two routes of one prefix to one peer: all communities, the better of what orders paths."""
    a, b = one.attributes, other.attributes
    services = one.services + tuple(s for s in other.services if s not in one.services)
    if a == b:
        return replace(one, services=services)
    better = a if _rank(a) <= _rank(b) else b
    attributes = replace(
        better,
        communities=tuple(sorted({*a.communities, *b.communities})),
        large_communities=tuple(sorted({*a.large_communities, *b.large_communities})),
    )
    return Route(one.prefix, attributes, services)


def _rank(attributes: PathAttributes) -> tuple[int, int, int, str]:
    local_pref = DEFAULT_LOCAL_PREF if attributes.local_pref is None else attributes.local_pref
    hop = str(attributes.next_hop or "")
    return (-local_pref, len(attributes.as_path), attributes.med or 0, hop)


def deprioritise(rib: Rib, *, ibgp: bool) -> Rib:
    """Say graceful shutdown on every route (RFC 8326): community 65535:0, local preference 0."""
    return {prefix: _deprioritised(route, ibgp=ibgp) for prefix, route in rib.items()}


def _deprioritised(route: Route, *, ibgp: bool) -> Route:
    communities = tuple(sorted({*route.attributes.communities, GRACEFUL_SHUTDOWN}))
    local_pref = 0 if ibgp else None
    attributes = replace(route.attributes, communities=communities, local_pref=local_pref)
    return replace(route, attributes=attributes)
