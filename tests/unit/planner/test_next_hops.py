"""Next hops of both families, by what this node has and what the peer takes (DESIGN 5, rule 16)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from orchestrator.model.address import Family, IPAddress
from orchestrator.model.local import Local
from orchestrator.model.plan import Reason
from orchestrator.model.policy import Peer
from orchestrator.planner import plan
from orchestrator.planner.advertise import NextHop, next_hop
from tests.unit.planner.world import cluster, ip, policy, service

PEER = Peer("r", 64500, 64500, ip("2001:db8::1"), dual_stack=True)
WITH_SOURCE = replace(PEER, source_address=ip("2001:db8::99"))
V4, GLOBAL, LINK_LOCAL = "192.0.2.7/24", "2001:db8::7/64", "fe80::7/64"


def local(*addresses: str, taken: bool = True) -> Local:
    """A node with these addresses on eth0; `taken`: the peer takes IPv6 next hops for IPv4."""
    interfaces = {"eth0": tuple(ipaddress.ip_interface(one) for one in addresses)}
    return Local(
        node="n1",
        interfaces=interfaces,
        extended_next_hops=frozenset({"r"}) if taken else frozenset(),
    )


@pytest.mark.parametrize(
    ("peer", "here", "hop"),
    [
        (PEER, local(V4, GLOBAL), "192.0.2.7"),
        (PEER, local(V4, GLOBAL, taken=False), "192.0.2.7"),
        (PEER, local(LINK_LOCAL, GLOBAL), "2001:db8::7"),
        (PEER, local(GLOBAL, taken=False), None),
        (WITH_SOURCE, local(GLOBAL), "2001:db8::99"),
        (PEER, local(LINK_LOCAL), None),
    ],
)
def test_ipv4_over_ipv6(peer: Peer, here: Local, hop: str | None) -> None:
    """An IPv4 address comes first, then our IPv6 end where the peer takes it, else there is none."""
    found = next_hop(peer, Family.IPV4, None, here)
    assert found == (NextHop(ip(hop)) if hop else None)


def test_ipv6_over_ipv4_has_no_extension() -> None:
    """RFC 8950 is used for IPv4 routes only: IPv6 routes need an IPv6 address of this node."""
    peer = replace(PEER, address=ip("192.0.2.1"))
    assert next_hop(peer, Family.IPV6, None, local(V4)) is None


@pytest.mark.parametrize("wanted", [ip("192.0.2.9"), None])
def test_a_configured_next_hop_comes_first(wanted: IPAddress | None) -> None:
    """An advertisement's own next hop is used as it stands."""
    found = next_hop(PEER, Family.IPV4, wanted, local(GLOBAL))
    assert found == NextHop(wanted or ip("2001:db8::7"))


def test_a_plan_follows_what_the_peer_takes() -> None:
    """The route is there with our IPv6 address; when the peer no longer takes it, noNextHop is."""
    world, rules = cluster(service("web", "203.0.113.10")), policy(peers=(PEER,))
    taken = plan(world, rules, local(GLOBAL))
    (route,) = taken.ribs["n1"]["r"].values()
    assert route.attributes.next_hop == ip("2001:db8::7")
    declined = plan(world, rules, local(GLOBAL, taken=False))
    (verdict,) = declined.verdicts
    assert (verdict.reason, declined.ribs["n1"]["r"]) == (Reason.NO_NEXT_HOP, {})
    assert verdict.message == (
        "no ipv4 address of n1 towards r, and no extended next hop (RFC 8950) negotiated"
    )
