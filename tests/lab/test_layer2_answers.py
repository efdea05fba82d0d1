"""Answers and announcements as the kernel of a client takes them."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.kernel import packet_filter
from orchestrator.adapters.kernel.macvlan import Macvlans
from orchestrator.adapters.kernel.packet_socket import PacketSender, PacketSocket
from orchestrator.layer2.answers.conflict import Answered, Claimant
from orchestrator.layer2.frames import arp
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import ARP_TYPE, MAC
from orchestrator.layer2.routers.binding import Macvlan
from tests.lab.harness import Lab, Node, poll
from tests.lab.inside import Answerer, inside, port_of

pytestmark = pytest.mark.lab

VIP = ipaddress.IPv4Address("10.0.0.240")
VIP6 = ipaddress.IPv6Address("fd00::240")
BOTH = pytest.mark.parametrize("vip", [VIP, VIP6], ids=str)
OLD = MAC(bytes.fromhex("020000000099"))
VIRTUAL = MAC(bytes.fromhex("00005e000133"))
VIRTUAL6 = MAC(bytes.fromhex("00005e000233"))


@pytest.fixture
def answerer(pair: Lab) -> Iterator[Answerer]:
    """Node `r` answers for what it takes; the VIPs are on no outside interface."""
    node = pair.node("r")
    for address in (f"{VIP}/32", f"{VIP6}/128"):
        node.run(["ip", "addr", "add", address, "dev", "lo"])
    for setting in ("arp_ignore=1", "arp_announce=2"):
        node.run(["sysctl", "-qw", f"net.ipv4.conf.all.{setting}"])
    with Answerer(node) as answering:
        yield answering


def neighbour(node: Node, address: object) -> dict[str, Any]:
    """What the kernel of a node believes of a neighbour."""
    said = json.loads(node.run(["ip", "-j", "neigh", "show", "to", str(address)]).stdout or "[]")
    return dict(said[0]) if said else {}


def reaches(node: Node, address: object) -> bool:
    """Tell whether a node gets an answer to a ping."""
    return node.run(["ping", "-c1", "-W1", str(address)], check=False).returncode == 0


@BOTH
def test_a_client_reaches_what_is_owned(
    pair: Lab, answerer: Answerer, vip: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    """Before the take nobody answers for the VIP, after it the client's kernel finds and uses it."""
    client = pair.node("a")
    assert not reaches(client, vip)
    answerer.take(vip)
    poll(lambda: reaches(client, vip))
    client.run(["ip", "neigh", "flush", "dev", "eth1"])
    assert reaches(client, vip)
    assert neighbour(client, vip)["lladdr"] == str(answerer.port.mac)
    assert answerer.answering.counts[vip].answered > 0


@BOTH
def test_a_takeover_moves_an_entry(
    pair: Lab, answerer: Answerer, vip: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    """A client that still knows the old owner's MAC is moved by what is announced."""
    client = pair.node("a")
    old = ["lladdr", str(OLD), "dev", "eth1", "nud", "reachable"]
    client.run(["ip", "neigh", "replace", str(vip), *old])
    answerer.take(vip)
    poll(lambda: neighbour(client, vip)["lladdr"] == str(answerer.port.mac), 5)
    assert reaches(client, vip)


def arp_of(node: Node, frame: bytes) -> Arp | None:
    """Send an ARP frame from a node, and return the first reply that comes to it."""
    port = port_of(node)
    with inside(node):
        sender = PacketSender(port.index)
        listener = PacketSocket(port.index, ARP_TYPE, packet_filter.arp(port.index, None))
    try:
        sender.send(frame)
        read = (arp.decode(data) for data, _ in poll(lambda: listener.read(64), 5))
        return next((m for m in read if m and m.operation is Operation.REPLY), None)
    finally:
        sender.close()
        listener.close()


def test_a_probe_is_answered(pair: Lab, answerer: Answerer) -> None:
    """Who probes before it takes the VIP for itself (RFC 5227) is told who has it."""
    answerer.take(VIP)
    poll(lambda: answerer.answering.counts[VIP].gratuitous == 4)
    reply = arp_of(pair.node("a"), arp.ask(VIP, port_of(pair.node("a")).mac, None))
    assert reply is not None
    assert (reply.sender, reply.sender_mac) == (VIP, answerer.port.mac)


def test_duplicate_address_detection_finds_us(pair: Lab, answerer: Answerer) -> None:
    """A host that gives itself our IPv6 address learns from its kernel that it is taken."""
    answerer.take(VIP6)
    client = pair.node("a")
    for scope in ("all", "eth1"):
        client.run(["sysctl", "-qw", f"net.ipv6.conf.{scope}.accept_dad=1"])
    client.run(["ip", "addr", "add", f"{VIP6}/64", "dev", "eth1"])
    poll(lambda: "dadfailed" in client.run(["ip", "addr", "show", "dev", "eth1"]).stdout, 10)


@BOTH
def test_a_host_that_takes_our_address_is_seen(
    pair: Lab, answerer: Answerer, vip: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    """A foreign kernel that answers for our VIP is reported with its MAC."""
    answerer.take(vip)
    client = pair.node("a")
    client.run(["ip", "addr", "add", f"{vip}/{vip.max_prefixlen}", "dev", "eth1"])
    claimant = Claimant("eth1", vip, port_of(client).mac)

    def seen() -> bool:
        answerer.probe(vip)
        return claimant in answerer.heard

    poll(seen, 5)


@pytest.mark.parametrize("text", ["10.0.0.2", "fd00::2"])
def test_a_probe_of_ours_is_answered(pair: Lab, answerer: Answerer, text: str) -> None:
    """A kernel that is asked answers, and so the link works."""
    address = ipaddress.ip_address(text)
    answered = Answered("eth1", address, port_of(pair.node("a")).mac)

    def seen() -> bool:
        answerer.probe(address)
        return answered in answerer.heard

    poll(seen, 5)


@pytest.mark.parametrize(("vip", "mac"), [(VIP, VIRTUAL), (VIP6, VIRTUAL6)], ids=str)
def test_a_virtual_mac_is_reached(
    pair: Lab,
    workdir: Path,
    answerer: Answerer,
    vip: ipaddress.IPv4Address | ipaddress.IPv6Address,
    mac: MAC,
) -> None:
    """With a macvlan that has the virtual MAC a client reaches the VIP there, and asks there.

    Also where the host checks the way back of what comes in.
    """
    node, client = pair.node("r"), pair.node("a")
    node.run(["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1"])
    macvlans = Macvlans(workdir / "macvlans.json")
    with inside(node):
        assert asyncio.run(macvlans.apply([Macvlan("v4.51.eth1", "eth1", mac, up=True)])) == []
    answerer.take(vip, mac=mac)
    poll(lambda: reaches(client, vip))
    assert neighbour(client, vip)["lladdr"] == str(mac)
    before = answerer.answering.counts[vip].answered
    client.run(
        ["ip", "neigh", "replace", str(vip), "lladdr", str(mac), "dev", "eth1", "nud", "probe"]
    )
    poll(lambda: answerer.answering.counts[vip].answered > before)
    with inside(node):
        assert asyncio.run(macvlans.apply([])) == []
    assert "v4.51" not in node.run(["ip", "link"]).stdout


def test_a_macvlan_is_made_again_and_follows_its_router(pair: Lab, workdir: Path) -> None:
    """Down while the router is no master; what a predecessor left is known; strangers are kept."""
    node, record = pair.node("r"), workdir / "macvlans.json"
    up, down = (Macvlan("v4.51.eth1", "eth1", VIRTUAL, up=state) for state in (True, False))

    def apply(*wanted: Macvlan, to: Macvlans) -> list[str]:
        with inside(node):
            return asyncio.run(to.apply(wanted))

    def is_up() -> bool:
        (link,) = json.loads(node.run(["ip", "-j", "link", "show", up.name]).stdout)
        return "UP" in link["flags"]

    first = Macvlans(record)
    assert apply(down, to=first) == []
    assert not is_up()
    assert apply(up, to=first) == []
    assert is_up()
    node.run(["ip", "link", "del", up.name])
    assert apply(up, to=first) == []
    assert is_up()
    node.run(["ip", "link", "add", "mine", "link", "eth1", "type", "macvlan"])
    problems = apply(
        Macvlan("mine", "eth1", VIRTUAL, up=True),
        Macvlan("none", "eth7", VIRTUAL, up=True),
        to=Macvlans(record),
    )
    assert problems == [
        "there is an interface mine already",
        "macvlan none on eth7: there is no interface eth7",
    ]
    assert "v4.51" not in node.run(["ip", "link"]).stdout
    assert apply(to=Macvlans(record)) == []
    assert "mine" in node.run(["ip", "link"]).stdout


def test_realtime_is_taken_where_it_is_allowed(pair: Lab) -> None:
    """Memory is locked and scheduling is round-robin, or it is said in words what was refused."""
    code = (
        "import json, os; from pathlib import Path\n"
        "from orchestrator.adapters.kernel.realtime import become_realtime\n"
        "words = become_realtime()\n"
        "locked = 'VmLck:\\t       0' not in Path('/proc/self/status').read_text()\n"
        "first = bool(os.sched_getscheduler(0) & os.SCHED_RR)\n"
        "print(json.dumps([words, locked, first]))"
    )
    for before in ([], ["setpriv", "--bounding-set=-ipc_lock,-sys_nice"]):
        said = pair.node("r").run([*before, sys.executable, "-c", code]).stdout
        words, locked, first = json.loads(said)
        assert locked is not any("memory" in text for text in words)
        assert first is not any("scheduling" in text for text in words)
        assert len(words) == 2 - locked - first
