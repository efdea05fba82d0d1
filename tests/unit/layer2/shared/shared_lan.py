"""A few members on one segment without loss and delay, for tests that say what each of them hears."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from orchestrator.layer2.actions import Action, Event, Happening, Release, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.shared.claim import rank_hash
from orchestrator.layer2.shared.shared_vips import SharedVIPs
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish

T = TypeVar("T", bound=Action)
NIC = "eth0"
VIP = ipaddress.ip_address("192.0.2.1")


def port(number: int, name: str = NIC, *, up: bool = True) -> Port:
    """The port of a member."""
    index = int(name[-1])
    address = ipaddress.ip_interface(f"10.0.{index}.{number}/24")
    return Port(name, index + 2, MAC(bytes((2, 0, 0, 0, index, number))), up, (address,))


def ranked(vip: IPAddress = VIP, names: Iterable[str] = "abc") -> list[str]:
    """Names in the order of the hash, that every member has."""
    return sorted(names, key=lambda name: rank_hash(name, str(vip)))


def wish(vip: IPAddress = VIP, *, wanted: bool = True, names: Iterable[str] = "abc") -> Wish:
    """A wish for an address, with those candidates."""
    return Wish(vip, vip, wanted, candidates=tuple(ranked(vip, names)))


def desired(name: str, *wishes: Wish) -> Desired:
    """What a member wants."""
    return Desired(name, complete=True, wishes=wishes)


class Member:
    """One member, with all that it ever asked for."""

    def __init__(self, name: str, number: int, want: Desired, boot: int = 0) -> None:
        self.name, self.number, self.desired = name, number, want
        self.vips = SharedVIPs(bytes((boot or number,)) * 8)
        self.ports = {NIC: port(number)}
        self.log: list[tuple[float, Action]] = []
        self.deaf_to: set[str] = set()
        self.dead = False

    def answering(self, nic: str = NIC) -> set[IPAddress]:
        """What it answers for."""
        found: set[IPAddress] = set()
        for _, action in self.log:
            if isinstance(action, Take) and action.port == nic:
                assert action.address not in found
                found.add(action.address)
            elif isinstance(action, Release) and action.port == nic:
                found.remove(action.address)
        return found

    def told(self, happening: Happening) -> list[Event]:
        """The events of a kind."""
        events = (action for _, action in self.log if isinstance(action, Event))
        return [event for event in events if event.happening is happening]

    def asked(self, kind: type[T]) -> list[tuple[float, T]]:
        """The actions of a kind, with their times."""
        return [(at, action) for at, action in self.log if isinstance(action, kind)]


class Lan:
    """Carries every frame at once to all who can hear, but those that `loses` says are lost."""

    def __init__(self, *members: Member) -> None:
        self.now = 0.0
        self.members = list(members)
        self.sent: list[tuple[str, Send]] = []
        self.loses: Callable[[], bool] = lambda: False
        for member in members:
            self.join(member)

    def join(self, member: Member) -> None:
        """Start a member."""
        if member not in self.members:
            self.members.append(member)
        self.do(member, member.vips.want(member.desired, self.now))
        self.do(member, member.vips.ports(member.ports, self.now))

    def want(self, member: Member, **changes: Any) -> None:
        """Let a member want something else."""
        member.desired = replace(member.desired, **changes)
        self.do(member, member.vips.want(member.desired, self.now))

    def do(self, member: Member, actions: Sequence[Action]) -> None:
        """Do what a member asks for."""
        member.log += [(self.now, action) for action in actions]
        for action in actions:
            if isinstance(action, Send):
                self.sent.append((member.name, action))
                self.carry(member, action)

    def carry(self, member: Member, send: Send) -> None:
        """Carry a frame to all others on the segment."""
        packet = Packet(send.source, send.target, TTL, send.payload)
        for other in list(self.members):
            hears = not other.dead and member.name not in other.deaf_to
            if other is not member and hears and not self.loses():
                heard = other.vips.receive(send.port, packet, member.ports[send.port].mac, self.now)
                self.do(other, heard)

    def run(self, until: float) -> None:
        """Let time pass."""
        while (due := self._due()) <= until:
            self.now = max(self.now, due)
            for member in list(self.members):
                timer = member.vips.next_timer()
                if not member.dead and timer is not None and timer <= self.now:
                    self.do(member, member.vips.handle_timer(self.now))
        self.now = until

    def _due(self) -> float:
        timers = (one.vips.next_timer() for one in self.members if not one.dead)
        return min((timer for timer in timers if timer is not None), default=float("inf"))


def three(**wanted: Any) -> tuple[Lan, Member, Member, Member]:
    """Three members in the order of their rank, that have been there for a while."""
    plan = replace(desired("", wish()), **wanted)
    all_three = [Member(name, at + 1, replace(plan, node=name)) for at, name in enumerate(ranked())]
    lan = Lan(*all_three)
    lan.run(10.0)
    return lan, all_three[0], all_three[1], all_three[2]
