"""ExaBGP's configuration out of peers."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.bgp.render import Rendering, Surroundings, render
from orchestrator.bgp.secret import md5_statements
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Severity

ADDRESS = ipaddress.ip_address
PLAIN, SURROGATE = "plain", "\ud800"
AROUND = Surroundings(ADDRESS("10.0.0.2"))


def rendered(*peers: Peer, around: Surroundings = AROUND) -> Rendering:
    """Render sessions with these peers."""
    return render([Session("a", peer) for peer in peers], around)


def peer(address: str = "10.0.0.1", peer_asn: int = 64500, **fields: Any) -> Peer:
    """A peer of AS 64500, iBGP unless told otherwise."""
    return Peer("r", 64500, peer_asn, ADDRESS(address), **fields)


def statements(one: Peer, around: Surroundings = AROUND) -> set[str]:
    """The lines of its neighbor section."""
    found = rendered(one, around=around)
    assert [p for p in found.problems if p.severity is Severity.ERROR] == []
    return {line.strip() for line in found.neighbors[0].text.splitlines()}


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (peer(), {"hold-time 90;", "local-address auto;", "router-id 10.0.0.2;", "connect 179;"}),
        (peer(hold_time_s=0, port=1790), {"hold-time 0;", "connect 1790;"}),
        (peer(source_address=ADDRESS("10.0.0.9")), {"local-address 10.0.0.9;"}),
        (peer(router_id=ADDRESS("1.2.3.4")), {"router-id 1.2.3.4;"}),
        (peer(local_asn=64999), {"local-as 64999;", "peer-as 64500;", "outgoing-ttl 1;"}),
        (peer(peer_asn=64501), {"outgoing-ttl 1;"}),
        (peer(ttl_security=True), {"outgoing-ttl 255;", "incoming-ttl 255;"}),
        (peer(source_address=ADDRESS("10.0.0.9"), passive=True), {"passive true;", "listen 179;"}),
        (peer(graceful_restart=True), {"manual-eor true;", "capability { graceful-restart 120; }"}),
        (peer(password=PLAIN), {'md5-password "plain";', "md5-base64 false;"}),
        (peer("2001:db8::1"), {"family { ipv6 unicast; }"}),
        (peer(dual_stack=True), {"family { ipv4 unicast; ipv6 unicast; }"}),
    ],
)
def test_fields_become_statements(one: Peer, lines: set[str]) -> None:
    """Each field of a peer is a statement of its neighbor section."""
    assert lines <= statements(one)


def test_multihop_has_no_ttl() -> None:
    """An eBGP session over several hops is sent with the kernel's TTL."""
    assert not any("ttl" in line for line in statements(peer(peer_asn=64501, ebgp_multihop=True)))


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (peer(peer_asn=2**32), "badAsn"),
        (peer(local_asn=-5), "badAsn"),
        (peer(port=0), "badPort"),
        (peer(hold_time_s=2), "badHoldTime"),
        (peer(hold_time_s=65536), "badHoldTime"),
        (peer(password=""), "badPassword"),
        (peer(password="x" * 81), "badPassword"),
        (peer(password=SURROGATE), "badPassword"),
        (peer(ttl_security=True, ebgp_multihop=True), "ttlSecurityMultihop"),
        (peer("fe80::1"), "linkLocalPeer"),
        (peer("224.0.0.1"), "badAddress"),
        (peer(source_address=ADDRESS("fd00::2")), "sourceFamily"),
        (peer(passive=True), "passiveWithoutSource"),
    ],
)
def test_what_cannot_be_is_an_error_on_that_peer_only(one: Peer, code: str) -> None:
    """A peer that cannot be had is left out with its reason; the others stay."""
    good = Peer("good", 64500, 64500, ADDRESS("10.0.0.7"))
    found = rendered(one, good)
    assert [p.code for p in found.problems if p.severity is Severity.ERROR] == [code]
    assert {p.object for p in found.problems} == {"BGPPeer r"}
    assert [neighbor.peer for neighbor in found.neighbors] == ["good"]


@pytest.mark.parametrize("one", [peer(connect_time_s=5), peer(bfd_profile="fast")])
def test_fields_without_a_counterpart_are_left_out(one: Peer) -> None:
    """A field that ExaBGP has nothing for, or that was not tried, does not cost the session."""
    found = rendered(one)
    assert not found.problems
    assert len(found.neighbors) == 1


def test_two_peers_of_one_address_are_one_too_many() -> None:
    """The second peer with an address is an error."""
    found = rendered(peer(), Peer("s", 64500, 64501, ADDRESS("10.0.0.1")))
    assert [p.object for p in found.problems] == ["BGPPeer s"]


def test_the_digest_follows_every_statement() -> None:
    """Whatever changes in a section changes its digest, and nothing else does."""
    base = rendered(peer()).neighbors[0].digest
    assert (
        rendered(peer(), Peer("s", 64500, 64501, ADDRESS("10.0.0.3"))).neighbors[0].digest == base
    )
    for other in (peer(hold_time_s=9), peer(password=PLAIN), peer(ttl_security=True), peer(port=1)):
        assert rendered(other).neighbors[0].digest != base


@given(st.text(max_size=90))
def test_no_password_leaves_its_quotes(password: str) -> None:
    """Whatever a password is made of, the statements hold one quoted string of harmless characters."""
    found = md5_statements(password)
    if found is None:
        assert (
            not 1 <= len(password.encode("utf-8", "surrogatepass")) <= 80
            or not password.isprintable()
        )
        return
    inner = found[0].removeprefix('md5-password "').removesuffix('";')
    assert inner
    assert inner.isascii()
    assert inner.isprintable()
    assert not set(inner) & set("\"'\\{};#")


@given(
    st.builds(
        Peer,
        name=st.text(),
        my_asn=st.integers(),
        peer_asn=st.integers(),
        address=st.ip_addresses(),
        password=st.none() | st.text(),
        source_address=st.none() | st.ip_addresses(),
        router_id=st.none() | st.ip_addresses(v=4),
        hold_time_s=st.none() | st.integers(),
        port=st.integers(),
    )
)
def test_no_peer_can_add_a_section(one: Peer) -> None:
    """No value of any field opens or closes a section, or ends the line it is on (rule 13)."""
    found = rendered(one)
    text = found.text.replace(found.neighbors[0].text, "") if found.neighbors else found.text
    assert text.count("{") == 1
    for neighbor in found.neighbors:
        assert neighbor.text.count("{") == neighbor.text.count("}") == 5
        assert neighbor.text.count("process ") == 0
        assert neighbor.text.isascii()
