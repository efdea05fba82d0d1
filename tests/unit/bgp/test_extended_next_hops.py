"""IPv4 routes with an IPv6 next hop (RFC 8950): sent where negotiated, and nowhere else."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from orchestrator.bgp import events
from orchestrator.bgp.adj_rib_out import AdjRibOut
from orchestrator.bgp.lines import Line
from orchestrator.bgp.render import Surroundings, render
from orchestrator.bgp.wire import PROBE, Change, Link
from orchestrator.model.address import Family
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.route import PathAttributes, Rib, Route
from orchestrator.model.session_state import RouteStatus
from tests.fakes.exabgp import FakePeer
from tests.fakes.exabgp_pair import Pair

FAR, NEAR = ipaddress.ip_address("fd00::1"), ipaddress.ip_address("fd00::2")
V6_PEER = Peer("r", 64500, 64500, FAR, source_address=NEAR, dual_stack=True)
BOTH = tuple(Family)
P1, P2 = (ipaddress.ip_network(f"192.0.2.{number}/32") for number in (1, 2))
V6 = ipaddress.ip_network("2001:db8::1/128")


def route(prefix: Any, med: int = 1) -> Route:
    """A route with our IPv6 address as next hop."""
    return Route(prefix, PathAttributes(next_hop=NEAR, med=med))


def rib(*routes: Route) -> Rib:
    """A RIB of these routes."""
    return {one.prefix: one for one in routes}


def link(extended: bool | None) -> Link:
    """A dual-stack session over IPv6."""
    return Link(FAR, 64500, 64500, BOTH, NEAR, extended_next_hop=extended)


def live(*held: Route, families: tuple[Family, ...] = BOTH) -> AdjRibOut:
    """A session that is up, of which it is not known what was negotiated; it holds `held`."""
    out = AdjRibOut(link(None))
    out.up(NEAR, families)
    for one in held:
        out.shown(Change(one.prefix, one.attributes))
    out.shown_all()
    return out


def changes(lines: list[Line]) -> dict[str, bool]:
    """Prefix -> whether it is announced (else withdrawn)."""
    return {str(c.prefix): c.attributes is not None for line in lines for c in line.changes}


@pytest.mark.parametrize(
    ("extended", "words"), [(True, "None"), (False, "no ipv4 next hop"), (None, "not known yet")]
)
def test_an_ipv6_next_hop_needs_the_extension(extended: bool | None, words: str) -> None:
    """An IPv4 route with an IPv6 next hop is refused unless it is known that the peer takes it."""
    assert words in str(link(extended).refusal(route(P1)))
    assert link(extended).refusal(route(V6)) is None


def test_our_end_of_the_session_is_never_taken_by_itself() -> None:
    """Next hop `self` of an IPv4 route over IPv6 would be the router id, whatever was negotiated."""
    assert "no ipv4 next hop" in str(link(True).refusal(Route(P1, PathAttributes())))


def test_without_ipv4_routes_there_is_nothing_to_know() -> None:
    """A peer that does not carry IPv4 is not asked whether it takes IPv6 next hops for it."""
    out = live(families=(Family.IPV6,))
    out.want(rib(route(V6)))
    assert changes(out.take(1000, 0.0)) == {"2001:db8::1/128": True}


def test_a_route_that_waits_delays_no_other() -> None:
    """While it is not known, the IPv4 route waits, a probe goes out, and the IPv6 route is sent."""
    out = live()
    out.want(rib(route(P1), route(V6)))
    assert changes(out.take(1000, 0.0)) == {str(PROBE): False, "2001:db8::1/128": True}
    assert out.status(P1) is RouteStatus.DESIRED
    out.negotiated(extended_next_hop=True)
    assert changes(out.take(1000, 0.0)) == {"192.0.2.1/32": True}


def test_what_a_predecessor_left_stays_until_it_is_known() -> None:
    """A wanted route is not withdrawn for want of knowledge; one that is not wanted is."""
    out = live(route(P1), route(P2))
    out.want(rib(route(P1)))
    assert changes(out.take(1000, 0.0)) == {str(PROBE): False, "192.0.2.2/32": False}
    out.negotiated(extended_next_hop=True)
    assert out.take(1000, 0.0) == []


def test_it_is_withdrawn_where_it_was_not_negotiated() -> None:
    """What ExaBGP holds from an earlier session is taken back in one that does not carry it."""
    out = live(route(P1))
    out.want(rib(route(P1)))
    out.take(1000, 0.0)
    out.negotiated(extended_next_hop=False)
    assert changes(out.take(1000, 0.0)) == {"192.0.2.1/32": False}
    assert "no ipv4 next hop" in out.refusals()[P1]


def test_each_session_is_asked_anew() -> None:
    """What the last session carried says nothing about the next one."""
    out = live()
    out.negotiated(extended_next_hop=True)
    out.down(1.0)
    out.want(rib(route(P1)))
    out.up(NEAR, BOTH)
    out.shown_all()
    assert "192.0.2.1/32" not in changes(out.take(1000, 2.0))


def test_events_tell_what_was_negotiated() -> None:
    """ExaBGP lists the next hops that both ends agreed on in its own event and in each UPDATE's."""
    who = {"address": {"local": str(NEAR), "peer": str(FAR)}}
    for hops, extended in ((["ipv4 unicast ipv6"], True), ([], False)):
        told = {**who, "negotiated": {"families": [], "nexthop": hops}}
        line = json.dumps({"type": "negotiated", "neighbor": told})
        assert events.parse(line) == events.Negotiated(FAR, extended)
        message = {"update": {"withdraw": {"ipv4 unicast": [{"nlri": str(P1)}]}}}
        told |= {"direction": "send", "message": message}
        line = json.dumps({"type": "update", "neighbor": told})
        found = events.parse(line)
        assert found == events.UpdateSent(FAR, (Change(P1, None),), extended_next_hop=extended)


@pytest.mark.parametrize(
    ("peer", "offers"),
    [
        (V6_PEER, True),
        (Peer("r", 64500, 64500, FAR), False),
        (Peer("r", 64500, 64500, ipaddress.ip_address("10.0.0.1"), dual_stack=True), False),
    ],
)
def test_offered_on_dual_stack_sessions_over_ipv6(peer: Peer, offers: bool) -> None:
    """The capability and its events are in the configuration of those sessions only."""
    around = Surroundings(ipaddress.ip_address("10.0.0.2"))
    text = render([Session("a", peer)], around).text
    assert ("nexthop { ipv4 unicast ipv6; }" in text) is offers
    assert ("neighbor-changes; negotiated;" in text) is offers


@pytest.fixture
def pair() -> Pair:
    """A session over IPv6 in which an IPv4 and an IPv6 route are wanted; it is not up yet."""
    pair = Pair()
    pair.connect()
    pair.want({V6_PEER: rib(route(P1), route(V6))})
    pair.settle()
    return pair


def router(pair: Pair) -> FakePeer:
    """The router's end."""
    return pair.fake.peers[str(FAR)]


def taken(pair: Pair) -> frozenset[str]:
    """Peers that may take IPv6 next hops for IPv4 routes."""
    return pair.talk.extended_next_hops((V6_PEER, Peer("single", 64500, 64500, FAR)))


@pytest.mark.parametrize("extended", [True, False])
def test_the_router_decides(pair: Pair, extended: bool) -> None:
    """Until the session is up the peer may take them; then it is known, and acted on."""
    assert taken(pair) == {"r"}
    router(pair).extended = extended
    pair.up(V6_PEER)
    pair.settle()
    assert set(router(pair).wire) == ({str(P1), str(V6)} if extended else {str(V6)})
    assert taken(pair) == ({"r"} if extended else set())
    assert not any(str(PROBE) in line for line in pair.sent)


def test_a_router_that_no_longer_agrees_and_then_does_again(pair: Pair) -> None:
    """Each session has what it agreed to, and ExaBGP is left no route to replay into another."""
    for extended in (True, False, True):
        router(pair).extended = extended
        pair.up(V6_PEER)
        pair.settle()
        assert (str(P1) in router(pair).wire) is extended
        assert (str(P1) in router(pair).cache) is extended
        assert taken(pair) == ({"r"} if extended else set())
        pair.down(V6_PEER)
        pair.settle()
        assert taken(pair) == ({"r"} if extended else set())


def test_a_new_speaker_learns_it_without_touching_the_routes(pair: Pair) -> None:
    """A speaker that finds the session up withdraws the probe alone, and then may send new routes."""
    router(pair).extended = True
    pair.up(V6_PEER)
    pair.settle()
    pair.sent.clear()
    pair.new_speaker()
    pair.settle()
    changing = [line for line in pair.sent if line.startswith("neighbor")]
    assert [line.split("64500 ")[-1] for line in changing] == [f"withdraw route {PROBE}"]
    pair.want({V6_PEER: rib(route(P1), route(P2), route(V6))})
    pair.settle()
    assert set(router(pair).wire) == {str(P1), str(P2), str(V6)}


def test_a_new_speaker_finds_a_router_that_does_not_take_it(pair: Pair) -> None:
    """A speaker that missed a session's beginning learns the no as well."""
    router(pair).extended = False
    pair.up(V6_PEER)
    pair.settle()
    pair.new_speaker()
    pair.settle()
    assert taken(pair) == set()
    assert set(router(pair).wire) == {str(V6)}
