"""Packet sockets on a real kernel: what is heard, what is sent, what survives."""

from __future__ import annotations

import ipaddress
import json
import sys
import time
from collections.abc import Iterator

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kernel.multicast import Memberships
from orchestrator.adapters.kernel.packet_socket import Frame, PacketSender
from orchestrator.adapters.kernel.port_sockets import PortSockets
from orchestrator.layer2.actions import Send
from orchestrator.layer2.frames import ip, ndp
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import MAC, NOBODY
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.model.address import IPAddress
from tests.lab.harness import Lab, Node, poll, require
from tests.lab.inside import inside, port_of

pytestmark = pytest.mark.lab

HERE, THERE = ipaddress.IPv4Address("10.0.0.1"), ipaddress.IPv4Address("10.0.0.2")
VRRP, HELLO = ipaddress.ip_address("224.0.0.18"), ipaddress.ip_address("224.0.0.254")
VRRP6, HELLO6 = ipaddress.ip_address("ff02::12"), ipaddress.ip_address("ff02::114")
LINK_LOCAL = ipaddress.ip_address("fe80::99")
VIP = ipaddress.IPv4Address("10.0.0.240")
VIP6 = ipaddress.IPv6Address("fd00::240")
STRANGER = MAC(bytes.fromhex("020000000099"))
GROUPS = pytest.mark.parametrize("group", [VRRP, HELLO, VRRP6, HELLO6], ids=str)


@pytest.fixture
def sockets(pair: Lab) -> Iterator[PortSockets]:
    """All sockets on eth1 of node `r`."""
    port = port_of(pair.node("r"))
    with inside(pair.node("r")):
        opened = PortSockets(port)
    yield opened
    opened.close()


@pytest.fixture
def sender(pair: Lab) -> Iterator[PacketSender]:
    """A socket that sends frames from eth1 of node `a`."""
    port = port_of(pair.node("a"))
    with inside(pair.node("a")):
        opened = PacketSender(port.index)
    yield opened
    opened.close()


def advert(group: IPAddress, payload: bytes = b"\x31advert") -> bytes:
    """Make a frame with a packet of protocol 112 to a group."""
    source = THERE if group.version == 4 else LINK_LOCAL
    return ip.encode(Packet(source, group, TTL, payload), STRANGER)


WAITED_S = 0.3


def heard(sockets: PortSockets) -> list[Frame]:
    """Wait for adverts and return them."""
    return poll(lambda: sockets.adverts.read(64), 5, "adverts")


@GROUPS
def test_adverts_are_heard(sockets: PortSockets, sender: PacketSender, group: IPAddress) -> None:
    """VRRP's adverts and hellos come in over both families, padding and all."""
    sender.send(advert(group))
    ((frame, _),) = heard(sockets)
    assert ip.decode(frame) == (
        Packet(THERE if group.version == 4 else LINK_LOCAL, group, 255, b"\x31advert"),
        STRANGER,
    )


@GROUPS
def test_a_firewall_does_not_stop_adverts(
    pair: Lab, sockets: PortSockets, sender: PacketSender, group: IPAddress
) -> None:
    """With an INPUT policy of drop adverts are heard all the same."""
    require("nft")
    chain = "type filter hook input priority 0; policy drop;"
    pair.node("r").run(["nft", f"table inet filter {{ chain input {{ {chain} }}; }}"])
    sender.send(advert(group))
    assert len(heard(sockets)) == 1


def test_other_packets_are_not_heard(sockets: PortSockets, sender: PacketSender) -> None:
    """Other groups and protocols do not reach us; what is sent to this host does."""
    other = ipaddress.ip_address("224.0.0.5"), ipaddress.ip_address("ff02::5")
    for group in other:
        sender.send(advert(group))
    udp = bytearray(advert(VRRP))
    udp[23] = 17
    sender.send(bytes(udp))
    unicast = sockets.port.mac + advert(VRRP)[6:]
    sender.send(unicast)
    assert [frame for frame, _ in heard(sockets)] == [unicast]


def test_own_frames_are_not_heard(sockets: PortSockets, sender: PacketSender) -> None:
    """What we send does not come back to us."""
    assert sockets.send(advert(HELLO))
    sender.send(advert(VRRP))
    assert [frame for frame, _ in heard(sockets)] == [advert(VRRP)]


def waited(sockets: PortSockets, sender: PacketSender) -> bool:
    """Let a frame wait; tell whether its age counts from when the kernel got it."""
    sent = time.monotonic()
    sender.send(advert(HELLO))
    poll(lambda: time.monotonic() - sent > WAITED_S, interval_s=0.01)
    ((_, age_s),) = heard(sockets)
    assert age_s <= time.monotonic() - sent
    return age_s > WAITED_S - 0.05


def test_a_frame_that_waited_is_as_old_as_it_is(sockets: PortSockets, sender: PacketSender) -> None:
    """The age of a frame counts from when the kernel got it, not from when it was read."""
    # The kernel begins to stamp frames a little after the first socket that wants it was opened.
    poll(lambda: waited(sockets, sender), 5, "frames to be stamped")
    assert waited(sockets, sender)
    sender.send(advert(HELLO))
    ((_, age_s),) = heard(sockets)
    assert age_s < WAITED_S


def test_no_more_is_read_than_asked_for(sockets: PortSockets, sender: PacketSender) -> None:
    """A storm leaves time for others: the rest waits, and nothing of it is lost."""
    for number in range(10):
        sender.send(advert(HELLO, b"%d" % number))
    first = poll(lambda: sockets.adverts.read(4))
    second = sockets.adverts.read(64)
    # A sender that is moved to another core may overtake itself.
    payloads = sorted(frame[34:35] for frame, _ in first + second)
    assert len(first) == 4
    assert payloads == [b"%d" % number for number in range(10)]


def question(target: ipaddress.IPv4Address) -> bytes:
    """Make an ARP request to all."""
    return Arp(Operation.REQUEST, STRANGER, THERE, NOBODY, target).encode()


def test_arp_of_others_is_not_heard(sockets: PortSockets, sender: PacketSender) -> None:
    """Once it is known which addresses matter, only ARP from or about them comes in."""
    sender.send(question(THERE))
    assert poll(lambda: sockets.arp.read(64))[0][0] == question(THERE)
    sockets.about(frozenset({VIP}))
    claim = Arp(Operation.REPLY, STRANGER, VIP, STRANGER, THERE).encode()
    for frame in (question(THERE), question(VIP), question(VIP + 1), claim):
        sender.send(frame)
    assert [frame for frame, _ in poll(lambda: sockets.arp.read(64))] == [question(VIP), claim]


def test_neighbor_discovery_of_others_is_not_heard(
    sockets: PortSockets, sender: PacketSender
) -> None:
    """Solicitations and advertisements of our addresses come in, others do not."""
    sockets.about(frozenset({VIP6}))
    link_local = ipaddress.IPv6Address("fe80::99")
    ours = ndp.ask(VIP6, STRANGER, link_local), ndp.unsolicited(VIP6, STRANGER, link_local)
    other = ndp.ask(VIP6 + 1, STRANGER, link_local)
    for frame in (other, *ours):
        sender.send(frame)
    assert [frame for frame, _ in poll(lambda: sockets.ndp.read(64))] == list(ours)


def only_untagged_is_heard(sockets: PortSockets, sender: PacketSender) -> None:
    """Send tagged and other frames, and see that only the others come in."""
    for frame in (advert(HELLO), question(VIP)):
        sender.send(frame[:12] + bytes.fromhex("81000007") + frame[12:])
    sender.send(advert(VRRP))
    sender.send(question(VIP + 1))
    assert [frame for frame, _ in heard(sockets)] == [advert(VRRP)]
    assert [frame for frame, _ in poll(lambda: sockets.arp.read(64))] == [question(VIP + 1)]


def test_tagged_frames_are_not_ours(sockets: PortSockets, sender: PacketSender) -> None:
    """What comes with the tag of a VLAN is another segment's."""
    only_untagged_is_heard(sockets, sender)


def test_frames_of_a_vlan_are_not_ours(
    pair: Lab, sockets: PortSockets, sender: PacketSender
) -> None:
    """An interface for the VLAN changes nothing: its frames are shown to sockets below as well."""
    add = "ip link add link eth1 name eth1.7 up type vlan id 7"
    if pair.node("r").run(add.split(), check=False).returncode != 0:
        pytest.skip("this kernel has no VLANs")
    only_untagged_is_heard(sockets, sender)


def test_sockets_survive_their_interface(
    pair: Lab, sockets: PortSockets, sender: PacketSender
) -> None:
    """While the interface is down nothing is heard or sent; up again, or renamed, all works."""
    node = pair.node("r")
    node.link_down("eth1")
    poll(lambda: not sockets.send(advert(HELLO)))
    assert sockets.adverts.read(64) == []
    assert sockets.lost > 0
    node.run(["ip", "link", "set", "eth1", "name", "wan"])
    node.link_up("wan")

    def works() -> bool:
        sender.send(advert(VRRP))
        sender.send(advert(VRRP6))
        return len(sockets.adverts.read(64)) > 1 and sockets.send(advert(HELLO))

    poll(works)


def test_a_gone_interface_hurts_nobody(pair: Lab, sockets: PortSockets) -> None:
    """When the interface is removed reading and sending give nothing, and new sockets say why."""
    pair.node("r").run(["ip", "link", "del", "eth1"])
    poll(lambda: not sockets.send(advert(HELLO)))
    assert (sockets.adverts.read(64), sockets.arp.read(64)) == ([], [])
    with inside(pair.node("r")), pytest.raises(AdapterError, match="is gone"):
        PortSockets(sockets.port)


def groups_of(node: Node) -> set[str]:
    """Groups that the kernel of a node is a member of on eth1."""
    said = json.loads(node.run(["ip", "-j", "maddr", "show", "dev", "eth1"]).stdout)
    return {group.get("address") or group.get("link") for group in said[0]["maddr"]}


def test_groups_are_joined(pair: Lab, sockets: PortSockets) -> None:
    """Switches that listen to IGMP and MLD learn of adverts, hellos and every VIP's questions."""
    assert sockets.errors == {}
    expected = {"224.0.0.18", "224.0.0.254", "ff02::12", "ff02::114", "01:00:5e:00:00:12"}
    assert expected <= groups_of(pair.node("r"))
    group = str(ndp.solicited_node(VIP6))
    assert group not in groups_of(pair.node("r"))
    sockets.about(frozenset({VIP6}))
    sockets.about(frozenset())
    assert group in groups_of(pair.node("r"))


def test_thousands_of_groups_take_several_sockets(pair: Lab) -> None:
    """More groups than one socket may hold are joined all the same, and left at the end."""
    groups = [ipaddress.ip_address("ff02::1:ff00:0") + number for number in range(3000)]
    port = port_of(pair.node("r"))
    before = groups_of(pair.node("r"))
    with inside(pair.node("r")):
        memberships = Memberships(port.index)
        assert memberships.join(groups) == {}
        assert memberships.join(ipaddress.ip_address("239.1.0.0") + n for n in range(50)) == {}
    assert len(groups_of(pair.node("r")) & set(map(str, groups))) == 3000
    memberships.close()
    assert groups_of(pair.node("r")) == before


def test_a_group_that_cannot_be_joined_is_named(pair: Lab) -> None:
    """What went wrong is said in words."""
    with inside(pair.node("r")):
        memberships = Memberships(4711)
        assert memberships.join([HELLO]) == {HELLO: "No such device"}
    memberships.close()


@pytest.mark.parametrize(
    ("source", "target"),
    [("10.0.0.2", "10.0.0.1"), ("fd00::2", "fd00::1")],
)
def test_packets_to_one_host(pair: Lab, sockets: PortSockets, source: str, target: str) -> None:
    """The kernel finds the host's MAC; TTL is 255, and the source is the one asked for."""
    port = port_of(pair.node("a"))
    with inside(pair.node("a")):
        there = PortSockets(port)
    ends = ipaddress.ip_address(source), ipaddress.ip_address(target)
    packet = Send("eth1", *ends, b"hello")
    assert there.send_packet(packet)
    ((frame, _),) = heard(sockets)
    there.close()
    assert ip.decode(frame) == (Packet(*ends, 255, b"hello"), port.mac)
    marked = frame[15] if frame[12:14] == b"\x08\x00" else (frame[14] & 0xF) << 4
    assert marked == 0xC0


def test_a_packet_that_cannot_go_is_not_sent(sockets: PortSockets) -> None:
    """A target that no route leads to, or a source that is not ours, is no error."""
    ends = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2")
    assert not sockets.send_packet(Send("eth1", *ends, b"hello"))
    assert not sockets.send_packet(Send("eth1", VIP6, VIP6, b"hello"))


def test_a_frame_too_long_is_not_sent(sockets: PortSockets) -> None:
    """What exceeds the interface's MTU is counted as lost."""
    assert not sockets.send(advert(HELLO, bytes(3000)))
    assert sockets.lost == 1


def test_without_permission_it_says_so(pair: Lab) -> None:
    """A process without CAP_NET_RAW is told which capability is missing."""
    code = (
        "from orchestrator.adapters.kernel.packet_socket import PacketSender\n"
        "import socket\n"
        "PacketSender(socket.if_nametoindex('eth1'))"
    )
    done = run_python(pair.node("r"), code, "setpriv", "--bounding-set=-net_raw")
    assert "layer2 needs CAP_NET_RAW" in done


def run_python(node: Node, code: str, *before: str) -> str:
    """Run Python in a node and return all it says."""
    done = node.run([*before, sys.executable, "-c", code], check=False)
    return done.stdout + done.stderr
