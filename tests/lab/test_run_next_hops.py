"""`orchestrator run` on a node without an IPv4 address: IPv4 VIPs over IPv6 sessions (RFC 8950)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, Node, poll, steady

pytestmark = pytest.mark.lab

ROUTER, OWN = "fd00::1", "fd00::2"
FAMILIES = ("ipv4", "ipv6")
VIP, OTHER, VIP6 = "198.51.100.10", "198.51.100.11", "2001:db8:1::10"
PREFIX, PREFIX6 = f"{VIP}/32", f"{VIP6}/128"
CAPABILITY = f"neighbor {OWN} capability extended-nexthop"
GRACEFUL = ", enableGracefulRestart: true"
VIPS = vip() + vip("six", VIP6)


def session(extra: str = "") -> str:
    """A dual-stack BGPPeer over IPv6."""
    fields = f', dualStackAddressFamily: true, sourceAddress: "{OWN}"{extra}'
    return peer(address=ROUTER, extra=fields) + POOL


def router(node: Node, *, extended: bool) -> Frr:
    """FRR that takes IPv6 next hops for IPv4 routes, or does not."""
    extra = ("capability extended-nexthop",) if extended else ()
    return Frr(node, neighbors=[Neighbor(OWN, 64500, FAMILIES, extra=extra)]).start()


@pytest.fixture
def box(pair: Lab, workdir: Path) -> Appliance:
    """An appliance on a node that has no IPv4 address; it is not started yet."""
    pair.node("a").run(["ip", "-4", "addr", "flush", "dev", "eth1"])
    box = Appliance(pair.node("a"), workdir)
    box.write(session() + VIPS)
    return box


def hops(frr: Frr, prefix: str = PREFIX) -> list[str]:
    """Next hops of a prefix in the router's RIB."""
    return [path["nexthop"] for path in frr.rib().get(prefix, [])]


def reasons(box: Appliance) -> dict[str, str]:
    """Reason by address."""
    items: list[dict[str, Any]] = box.ask("vips")["items"]
    return {item["address"]: item["reason"] for item in items}


def sessions_made(frr: Frr) -> int:
    """How often the session was established."""
    return int(frr.json("show bgp neighbors")[OWN]["connectionsEstablished"])


def version(frr: Frr) -> int:
    """A number of the route that grows with every change of it, a withdraw included."""
    return int(frr.json(f"show bgp ipv4 unicast {PREFIX}")["paths"][0]["version"])


def test_an_ipv4_vip_has_the_ipv6_next_hop(pair: Lab, box: Appliance) -> None:
    """A router that agreed gets the route with our IPv6 end of the session, and forwards by it until we stop."""
    frr = router(pair.node("r"), extended=True)
    box.start()
    assert poll(lambda: hops(frr)) == [OWN]
    poll(lambda: PREFIX6 in frr.rib("ipv6"))
    show = ["ip", "route", "show", VIP]
    poll(lambda: f"via inet6 {OWN}" in pair.node("r").run(show).stdout)
    (route,) = (one for one in box.ask("routes")["items"] if one["prefix"] == PREFIX)
    assert route["nextHop"] == OWN
    poll(lambda: set(reasons(box).values()) == {"announced"})
    assert box.ask("status")["problems"] == []
    assert box.stop() == 0
    poll(lambda: not frr.rib() and not frr.rib("ipv6"))


def test_a_router_that_did_not_agree_gets_no_route(pair: Lab, box: Appliance) -> None:
    """Without the capability the verdict is noNextHop and nothing is sent; IPv6 is not affected."""
    frr = router(pair.node("r"), extended=False)
    box.start()
    poll(lambda: PREFIX6 in frr.rib("ipv6"))
    poll(lambda: reasons(box) == {VIP: "noNextHop", VIP6: "announced"})
    assert "RFC 8950" in box.explain(VIP)["answer"]
    steady(lambda: not frr.rib(), 2)
    assert sessions_made(frr) == 1


def test_an_ipv4_address_is_used_first(pair: Lab, box: Appliance) -> None:
    """Where the node has an IPv4 address on the session's interface, that is the next hop."""
    pair.node("a").run(["ip", "addr", "add", "10.0.0.2/24", "dev", "eth1"])
    frr = router(pair.node("r"), extended=True)
    box.start()
    assert poll(lambda: hops(frr)) == ["10.0.0.2"]


@pytest.mark.parametrize("extra", ["", GRACEFUL])
def test_a_killed_speaker_costs_no_route(pair: Lab, box: Appliance, extra: str) -> None:
    """A speaker that starts anew withdraws nothing, resets nothing, and can announce more."""
    frr = router(pair.node("r"), extended=True)
    box.write(session(extra) + VIPS)
    box.start()
    poll(lambda: hops(frr) == [OWN])
    before = poll(lambda: version(frr))  # 0 until the best path is chosen
    box.wait_new("speaker", box.kill("speaker"))
    box.write(vip("other", OTHER), "other.yaml")
    poll(lambda: hops(frr, f"{OTHER}/32") == [OWN])
    assert (version(frr), sessions_made(frr)) == (before, 1)
    poll(lambda: set(reasons(box).values()) == {"announced"})


@pytest.mark.parametrize("speaker", ["lives", "dies"])
def test_a_changed_router_is_followed(pair: Lab, box: Appliance, speaker: str) -> None:
    """When the router no longer agrees the route goes without a flapping session; then it returns.

    With no speaker about, ExaBGP alone would replay the route and end the session each time.
    """
    frr = router(pair.node("r"), extended=True)
    box.start()
    poll(lambda: hops(frr) == [OWN])
    frozen = box.pid("speaker") if speaker == "dies" else 0
    if frozen:
        box.signal(frozen, "STOP")
    frr.configure("router bgp 64500", f"no {CAPABILITY}")
    frr.wait_established(OWN)
    poll(lambda: PREFIX6 in frr.rib("ipv6"))
    made = sessions_made(frr)
    steady(lambda: not frr.rib(), 2)
    assert sessions_made(frr) == made
    if frozen:
        box.wait_new("speaker", box.kill("speaker"))
    poll(lambda: box.call("vips").returncode == 0)
    poll(lambda: reasons(box) == {VIP: "noNextHop", VIP6: "announced"})
    frr.configure("router bgp 64500", CAPABILITY)
    poll(lambda: hops(frr) == [OWN])
    poll(lambda: set(reasons(box).values()) == {"announced"})
