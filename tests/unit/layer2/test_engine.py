"""The parts of layer 2 joined: hosts on one wire agree, answer, take over and defend."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace

from orchestrator.layer2.actions import Became, Emit, Event, Happening, RouterState
from orchestrator.layer2.engine import Engine, Output
from orchestrator.layer2.frames import arp, ip
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import BROADCAST, MAC, NOBODY
from orchestrator.layer2.port import Port
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.virtual_router import VirtualRouter

VIP = ipaddress.IPv4Address("192.0.2.240")
CLIENT = ipaddress.IPv4Address("192.0.2.100")
CLIENT_MAC = MAC(b"\x02\0\0\0\0\x64")
PROTOCOL = 112
STEP_S = 0.005


def mac(number: int) -> MAC:
    """MAC of the nth host."""
    return MAC(bytes((2, 0, 0, 0, 0, number)))


class Host:
    """One engine with one port."""

    def __init__(self, number: int, name: str = "eth0") -> None:
        self.name = f"n{number}"
        address = ipaddress.ip_interface(f"192.0.2.{number}/24")
        self.port = Port(name, 2, mac(number), addresses=(address,))
        self.engine = Engine(bytes((number,)) * 8)
        self.alive = True
        self.happened: list[Became | Event] = []

    @property
    def answers(self) -> bool:
        """Tell whether it answers for the VIP."""
        return VIP in self.engine.answering[self.port.name].owned


class Wire:
    """Hosts on one wire without loss; time goes on in small steps."""

    def __init__(self, *hosts: Host) -> None:
        self.hosts = hosts
        self.now = 100.0
        self.frames: list[tuple[str, bytes]] = []

    def perform(self, host: Host, output: list[Output]) -> None:
        """Carry frames to the others; keep what happened."""
        for one in output:
            if isinstance(one, Emit):
                self.frames.append((host.name, one.frame))
                self.carry(one.frame, host)
            elif isinstance(one, Became | Event):
                host.happened.append(one)

    def carry(self, frame: bytes, sender: Host | None = None) -> None:
        """Give a frame to everybody else."""
        for host in self.hosts:
            if host is not sender and host.alive:
                self.perform(host, self.receive(host, frame))

    def receive(self, host: Host, frame: bytes) -> list[Output]:
        """Give a frame to one host, by its type as its sockets would."""
        if frame[12:14] == b"\x08\x06":
            return host.engine.receive_arp(host.port.name, frame, self.now)
        return host.engine.receive(host.port.name, frame, self.now)

    def run(self, for_s: float) -> None:
        """Let time pass."""
        end = self.now + for_s
        while self.now < end:
            self.now += STEP_S
            for host in self.hosts:
                if host.alive:
                    self.perform(host, host.engine.handle_timer(self.now))
                    self.perform(host, list(host.engine.gratuitous(self.now)))

    def share(self, excluded: tuple[str, ...] = (), *routers: VirtualRouter) -> None:
        """Have every host want the VIP, and run these virtual routers."""
        for host in self.hosts:
            wish = Wish(VIP, VIP, wanted=not routers)
            wishes = () if routers else (wish,)
            desired = Desired(host.name, complete=True, wishes=wishes, shares=not routers)
            self.perform(host, host.engine.ports({host.port.name: host.port}, self.now))
            self.perform(host, host.engine.want(desired, routers, excluded, self.now))

    def owner(self) -> Host:
        """Return the only live host that answers."""
        (owner,) = [host for host in self.hosts if host.alive and host.answers]
        return owner

    def others(self) -> list[Host]:
        """Return the live hosts that do not answer."""
        return [host for host in self.hosts if host.alive and not host.answers]


def question() -> bytes:
    """Return the client's question for the VIP."""
    return Arp(Operation.REQUEST, CLIENT_MAC, CLIENT, NOBODY, VIP).encode()


def answers_to(wire: Wire) -> list[MAC]:
    """Ask for the VIP; return the MAC in each answer."""
    before = len(wire.frames)
    wire.carry(question())
    found = (arp.decode(frame) for _, frame in wire.frames[before:])
    return [a.sender_mac for a in found if a is not None and a.operation is Operation.REPLY]


def three() -> Wire:
    """Return three hosts that agreed on the owner of the VIP."""
    wire = Wire(Host(1), Host(2), Host(3))
    wire.share()
    wire.run(3)
    return wire


def gratuitous(wire: Wire, since: int) -> list[str]:
    """Return who announced the VIP since that many frames."""
    found = ((name, arp.decode(frame)) for name, frame in wire.frames[since:])
    return [name for name, said in found if said is not None and said.sender == said.target == VIP]


def test_one_of_three_answers() -> None:
    """Exactly one host answers ARP for a shared address, with its own MAC."""
    wire = three()
    assert answers_to(wire) == [wire.owner().port.mac]


def test_the_next_takes_over_and_says_so() -> None:
    """When the owner falls silent another answers within P6, and announces both forms at once."""
    wire = three()
    dead = wire.owner()
    dead.alive = False
    since = len(wire.frames)
    wire.run(0.45)
    assert answers_to(wire) == [wire.owner().port.mac]
    names = gratuitous(wire, since)
    assert names[:2] == [wire.owner().name] * 2


def test_a_stop_leaves_no_question_unanswered() -> None:
    """An owner that leaves answers until the next one does."""
    wire = three()
    leaving = wire.owner()
    wire.perform(leaving, leaving.engine.leave(wire.now))
    for _ in range(200):
        assert answers_to(wire)
        wire.run(STEP_S)
    assert leaving.engine.finished
    assert wire.owner() is not leaving


def test_excluded_ports_are_silent() -> None:
    """On a port that is left out nothing is sent and nothing is answered."""
    wire = Wire(Host(1, "veth7"), Host(2, "veth7"))
    wire.share(("^veth.*",))
    wire.run(3)
    assert wire.frames == []
    assert answers_to(wire) == []


def test_a_stranger_is_told_of_and_answered() -> None:
    """Another host that says it has the VIP is reported, and the owner defends it once in 10 s."""
    wire = three()
    owner = wire.owner()
    stranger = Arp(Operation.REQUEST, mac(9), VIP, NOBODY, VIP).encode()
    wire.run(10)  # the first announcements are over
    since = len(wire.frames)
    wire.carry(stranger)
    wire.carry(stranger)
    conflicts = [
        one
        for one in owner.happened
        if isinstance(one, Event) and one.happening is Happening.ADDRESS_CONFLICT
    ]
    assert [one.address for one in conflicts] == [VIP]
    assert str(mac(9)) in conflicts[0].about + conflicts[0].message
    assert gratuitous(wire, since).count(owner.name) == 1


def router(**fields: object) -> VirtualRouter:
    """Make a virtual router of the VIP."""
    given: dict[str, object] = {
        "name": "edge",
        "interface": "eth0",
        "vrid": 7,
        "advert_interval_ms": 100,
        "addresses": (ipaddress.ip_interface(f"{VIP}/24"),),
        **fields,
    }
    make: Callable[..., VirtualRouter] = VirtualRouter
    return make(**given)


def master(wire: Wire) -> None:
    """Run a virtual router on the only host until it is master."""
    wire.share((), router())
    wire.run(2)
    became = [one for one in wire.hosts[0].happened if isinstance(one, Became)]
    assert became[-1].new is RouterState.MASTER


def test_a_virtual_router_answers_while_master() -> None:
    """A master answers for its address; after it has left nobody does."""
    wire = Wire(Host(1))
    master(wire)
    assert answers_to(wire) == [mac(1)]
    host = wire.hosts[0]
    wire.perform(host, host.engine.leave(wire.now))
    wire.run(1.2)
    assert host.engine.finished
    assert answers_to(wire) == []


def test_a_virtual_mac_is_answered_and_sent_from() -> None:
    """With a virtual MAC the answer, and the adverts' source, are 00:00:5e:00:01:VRID."""
    wire = Wire(Host(1))
    wire.share((), router(virtual_mac=True))
    wire.run(2)
    virtual = MAC(bytes.fromhex("00005e000107"))
    assert answers_to(wire) == [virtual]
    adverts = [frame for _, frame in wire.frames if frame[23:24] == b"\x70"]
    assert adverts
    assert {frame[6:12] for frame in adverts} == {virtual}


def test_a_masters_address_is_defended_too() -> None:
    """A stranger with a virtual router's address is reported and answered."""
    wire = Wire(Host(1))
    master(wire)
    wire.run(10)
    since = len(wire.frames)
    wire.carry(Arp(Operation.REPLY, mac(9), VIP, BROADCAST, VIP).encode())
    assert any(
        isinstance(one, Event) and one.happening is Happening.ADDRESS_CONFLICT
        for one in wire.hosts[0].happened
    )
    assert gratuitous(wire, since) == ["n1"]


def test_another_router_of_the_same_virtual_router_is_no_stranger() -> None:
    """Who says so from the virtual MAC takes over, and an advert follows: nothing is said back.

    Not even what is due in that moment, the third round a second after this one took over.
    """
    wire = Wire(Host(1))
    wire.share((), router())
    wire.run(1.2)
    assert gratuitous(wire, 0) == ["n1"] * 4
    since = len(wire.frames)
    theirs = MAC(bytes.fromhex("00005e000107"))
    wire.carry(Arp(Operation.REPLY, theirs, VIP, BROADCAST, VIP).encode())
    wire.run(0.9)
    assert not any(isinstance(one, Event) for one in wire.hosts[0].happened)
    assert gratuitous(wire, since) == []


def test_a_pause_makes_the_owner_step_back() -> None:
    """A process that slept longer than three intervals gives up what it owned, without asking."""
    wire = three()
    owner = wire.owner()
    wire.perform(owner, owner.engine.step_back(wire.now, 5.0))
    assert not owner.answers
    wire.run(2)
    assert answers_to(wire) == [wire.owner().port.mac]


def test_a_short_pause_changes_nothing() -> None:
    """Being late by less than others wait for is no reason to give anything up."""
    wire = three()
    owner = wire.owner()
    wire.perform(owner, owner.engine.step_back(wire.now, 0.2))
    assert owner.answers


def test_adverts_never_leave_with_the_address_of_a_virtual_router() -> None:
    """The kernel has the newest link-local address first: one that a master has put there is no source.

    Another virtual router of the interface does not send from it either.
    """
    host = Host(1)
    host.port = replace(
        host.port, addresses=tuple(map(ipaddress.ip_interface, ("fe80::fe/64", "fe80::1/64")))
    )
    addresses = [(ipaddress.ip_interface(f"fe80::{last}/64"),) for last in ("fe", "fd")]
    routers = [
        VirtualRouter(f"r{n}", "eth0", n, addresses=own, bind="eth0")
        for n, own in enumerate(addresses, start=1)
    ]
    wire = Wire(host)
    wire.share((), *routers)
    wire.run(5)
    packets = [ip.decode(frame) for _, frame in wire.frames if frame[20] == PROTOCOL]
    assert {packet.source for packet, _ in filter(None, packets)} == {
        ipaddress.IPv6Address("fe80::1")
    }
