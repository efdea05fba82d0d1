"""`import exabgp`: neighbors and static routes, and that the plan then gives the same routes."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.imports.exabgp import read_exabgp
from orchestrator.config.imports.result import Imported
from orchestrator.model.local import Local
from orchestrator.planner import plan
from orchestrator.planner.document import routes_document
from tests.unit.config.imported import annotations_of, lost, reread, sample, specs


def neighbor(body: str, head: str = "192.0.2.1", peer_as: int = 64501) -> Imported:
    """Import one neighbor."""
    text = f"neighbor {head} {{ local-as 64500; peer-as {peer_as};\n{body}\n}}\n"
    return read_exabgp(text.encode())


def peer(imported: Imported) -> dict[str, Any]:
    """Return the spec of the one BGPPeer."""
    (found,) = specs(imported, "BGPPeer").values()
    return found


def routes(imported: Imported) -> set[tuple[Any, ...]]:
    """Routes that the imported objects give on a node of their own."""
    reading = reread(imported)
    found = plan(reading.cluster, reading.policy, Local(node="n1"))
    return {
        (
            route["peer"],
            route["prefix"],
            route["localPref"],
            route["med"],
            (*route["communities"], *route["largeCommunities"]),
            tuple(route["asPath"]),
        )
        for route in routes_document(found)
    }


def test_anycast() -> None:
    """A whole configuration gives the routes it gave with ExaBGP."""
    imported = read_exabgp(sample("exabgp"))
    core, transit = "peer-192.0.2.1", "peer-203.0.113.1"
    quiet = ("64500:53", "65535:65281")
    assert routes(imported) == {
        (core, "192.0.2.53/32", 200, None, quiet, ()),
        (core, "2001:db8:53::53/128", 200, None, quiet, ()),
        (transit, "192.0.2.53/32", None, 50, ("64500:1:2",), (64500, 64500, 64500)),
        (transit, "198.51.100.99/32", None, None, (), ()),
    }


def test_peers_of_anycast() -> None:
    """A neighbor has what its template says, and its own on top."""
    imported = read_exabgp(sample("exabgp"))
    core = specs(imported, "BGPPeer")["peer-192.0.2.1"]
    assert (core["myASN"], core["peerASN"], core["holdTime"]) == (64500, 64500, "30s")
    assert core["dualStackAddressFamily"]
    assert core["enableGracefulRestart"]
    assert core["passwordSecret"] == {"name": "peer-192.0.2.1-password"}
    assert annotations_of(imported, "BGPPeer", "peer-203.0.113.1") == {
        "orchestrator.io/passive": "true",
        "orchestrator.io/ttl-security": "true",
    }


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ("router-id 192.0.2.9;", "routerID", "192.0.2.9"),
        ("local-address 192.0.2.9;", "sourceAddress", "192.0.2.9"),
        ("connect 1790;", "peerPort", 1790),
        ("hold-time 90;", "holdTime", "1m30s"),
        ("outgoing-ttl 3;", "ebgpMultiHop", True),
        ("multihop 4;", "ebgpMultiHop", True),
        ("family { ipv4 unicast; ipv6 unicast; }", "dualStackAddressFamily", True),
        ("static { route 2001:db8::1/128 next-hop self; }", "dualStackAddressFamily", True),
        ("capability { graceful-restart; }", "enableGracefulRestart", True),
    ],
)
def test_settings(body: str, field: str, value: Any) -> None:
    """Each setting of a neighbor has its place."""
    imported = neighbor(body)
    assert peer(imported)[field] == value
    assert lost(imported) == []


@pytest.mark.parametrize(
    "body",
    [
        "capability { add-path send/receive; }",
        "family { ipv4 flow; }",
        "md5-base64 true;",
        "listen 1790;",
        "colour red;",
        "hold-time soon;",
        "inherit nobody;",
        "process x { run /bin/true; }",
        "static { route 192.0.2.7/32 next-hop self watchdog x; }",
        "static { route 192.0.2.7/32 next-hop self split /32; }",
        "static { route 192.0.2.7/32 next-hop self origin incomplete; }",
        "static { route 192.0.2.7/32 next-hop self as-path [ 1 2 ]; }",
        "static { route 192.0.2.7/32 next-hop self community [ red ]; }",
        "static { route 192.0.2.7/32 next-hop 2001:db8::1; }",
        "static { route 192.0.2.7/33 next-hop self; }",
        "static { route 0.0.0.0/0 next-hop self; }",
        "static { route 127.0.0.1/32 next-hop self; }",
        "announce { ipv4 { mpls-vpn 192.0.2.7/32 next-hop self; } }",
    ],
)
def test_losses(body: str) -> None:
    """What has no place is told; the peer is carried over."""
    imported = neighbor(body)
    assert lost(imported)
    assert peer(imported)["peerAddress"] == "192.0.2.1"
    assert reread(imported).valid


@pytest.mark.parametrize(
    ("head", "peer_as"), [("10.0.0.0/24", 1), ("router.example.org", 1), ("192.0.2.1", 0)]
)
def test_neighbors_that_cannot_be(head: str, peer_as: int) -> None:
    """A range of peers, a name or an automatic AS has no BGPPeer."""
    imported = neighbor("", head, peer_as)
    assert specs(imported, "BGPPeer") == {}
    assert len(lost(imported)) == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("med 5", (None, 5, (), ())),
        ("community 64500:1", (None, None, ("64500:1",), ())),
        ("community [ blackhole 4227858433 ]", (None, None, ("64512:1", "65535:666"), ())),
        ("as-path [ 64500 64500 ]", (None, None, (), (64500, 64500))),
        ("local-preference 7", (None, None, (), ())),
    ],
)
def test_attributes(words: str, expected: tuple[Any, ...]) -> None:
    """Attributes of a route on eBGP reach the routes of the plan; LOCAL_PREF does not go there."""
    imported = neighbor(f"static {{ route 192.0.2.7/32 next-hop self {words}; }}")
    assert routes(imported) == {("peer-192.0.2.1", "192.0.2.7/32", *expected)}


def test_a_net_is_announced_as_one() -> None:
    """A prefix wider than an address is announced as it was, for as long as its VirtualIP is up."""
    imported = neighbor("static { route 198.51.100.0/24 { next-hop self; med 9; } }")
    assert routes(imported) == {("peer-192.0.2.1", "198.51.100.0/24", None, 9, (), ())}


def test_several_prefixes_in_one_line() -> None:
    """The form with attributes first gives a route for each prefix."""
    body = "static { attributes next-hop self med 4 nlri 192.0.2.7/32 192.0.2.8/32; }"
    found = {route[1:4:2] for route in routes(neighbor(body))}
    assert found == {("192.0.2.7/32", 4), ("192.0.2.8/32", 4)}


def test_old_groups() -> None:
    """Neighbors in a group have what stands before them in it."""
    text = "group x { local-as 1; peer-as 2; hold-time 60; neighbor 192.0.2.1 { passive; } }"
    assert peer(read_exabgp(text.encode()))["holdTime"] == "1m0s"
