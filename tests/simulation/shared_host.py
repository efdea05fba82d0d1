"""A node as the network sees it: a process that may stall, ports, and what it answers for."""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.layer2.actions import Action, Announce, Release, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.shared.member_frame import FLAGS_AT, KIND_AT, ROUTINE, Kind
from orchestrator.layer2.shared.shared_vips import SharedVIPs
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired
from tests.simulation.shared_views import NICS, address_on
from tests.simulation.story import FoulError

QUEUE = 500
"""Frames that the kernel keeps for a process that does not read."""


class PairError(FoulError):
    """An address was taken twice, or released by who did not have it."""


class WokenError(FoulError):
    """One that slept too long goes on answering."""


@dataclass(frozen=True)
class Heard:
    """A frame in a host's queue, with the time the kernel put on it."""

    at: float
    nic: str
    packet: Packet
    mac: MAC

    @property
    def can_wait(self) -> bool:
        """Tell whether the process is not woken for it."""
        flags, kind = self.packet.payload[FLAGS_AT], self.packet.payload[KIND_AT]
        return kind == Kind.HELLO and bool(flags & ROUTINE)


@dataclass
class Host:
    """One node; its clock is `offset_s` off, so that no two agree."""

    name: str
    number: int
    offset_s: float
    act: Callable[[Host, list[Action], float], None]
    vips: SharedVIPs | None = None
    desired: Desired | None = None
    up: dict[str, bool] = field(default_factory=dict)
    answering: set[tuple[str, IPAddress]] = field(default_factory=set)
    asleep: bool = False
    leaving: bool = False
    spoke_at: float = 0.0
    due: float = float("inf")
    """When the process has something to do, by the clock of the world."""
    _queue: deque[Heard] = field(default_factory=lambda: deque(maxlen=QUEUE))

    # What the process does

    def start(self, boot: bytes, desired: Desired, now: float) -> None:
        """Begin a process; a former one has left nothing behind."""
        self.vips, self.desired = SharedVIPs(boot), desired
        self.asleep = self.leaving = False
        self.spoke_at = now
        self._queue.clear()
        self._do(self.vips.want(desired, self._local(now)), now)
        self.plug(now)

    def kill(self) -> None:
        """End the process in the middle of whatever it does."""
        self.vips = None
        self.asleep = self.leaving = False
        self.answering.clear()
        self._see_timer()

    def sleep(self) -> None:
        """Stop running for a while."""
        self.asleep = True
        self._see_timer()

    def want(self, desired: Desired, now: float) -> None:
        """Let the process know what is wanted."""
        self.desired = desired
        if self.runs and self.vips is not None:
            self._do(self.vips.want(desired, self._local(now)), now)

    def leave(self, now: float) -> None:
        """Begin to stop."""
        if self.runs and self.vips is not None:
            self.leaving = True
            self._do(self.vips.leave(self._local(now)), now)

    def plug(self, now: float) -> None:
        """Let the process see its ports as they are."""
        if self.runs and self.vips is not None:
            self._do(self.vips.ports(self._ports(), self._local(now)), now)

    def hear(self, heard: Heard) -> None:
        """Take a frame, or keep it while the process does not run."""
        if self.vips is None or not self.up.get(heard.nic):
            return
        self._queue.append(heard)
        if self.runs and not heard.can_wait:
            self._read(heard.at)

    def answered(self, nic: str, address: IPAddress, now: float) -> None:
        """Take the answer to a probe."""
        if self.runs and self.vips is not None:
            self._do(self.vips.answered(nic, address, self._local(now)), now)

    def wake(self, now: float) -> None:
        """Run again: own lateness first, then what was heard meanwhile, then timers (DESIGN 8.4)."""
        self.asleep = False
        if self.vips is None or self.desired is None:
            return
        if now - self.spoke_at > 3 * self.desired.interval_s:
            self._do(self.vips.step_back(self._local(now)), now)
            if self.answering:
                raise WokenError(f"{now:.4f} {self.name} answers for {sorted(self.answering)}")
        if self.desired is not None:
            self._do(self.vips.want(self.desired, self._local(now)), now)
        self.plug(now)
        self._read(now)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.runs and self.vips is not None:
            self._read(now)
            timer = self.vips.next_timer()
            if timer is not None and timer <= self._local(now):
                self._do(self.vips.handle_timer(self._local(now)), now)
            if self.leaving and self.vips.finished:
                self.kill()

    @property
    def runs(self) -> bool:
        """Tell whether the process is there and awake."""
        return self.vips is not None and not self.asleep

    # Inside

    def _local(self, now: float) -> float:
        return now + self.offset_s

    def _read(self, now: float) -> None:
        while self._queue and self.vips is not None:
            heard = self._queue.popleft()
            at = self._local(heard.at)
            self._do(self.vips.receive(heard.nic, heard.packet, heard.mac, at), now)

    def mac(self, nic: str) -> MAC:
        """The hardware address of a port."""
        return MAC(bytes((2, 0, 0, 0, NICS.index(nic), self.number)))

    def _ports(self) -> dict[str, Port]:
        return {
            nic: Port(nic, NICS.index(nic) + 2, self.mac(nic), up, (self._address(nic),))
            for nic, up in self.up.items()
        }

    def _address(self, nic: str) -> ipaddress.IPv4Interface:
        return ipaddress.IPv4Interface(f"{address_on(NICS.index(nic), self.number)}/24")

    def _do(self, actions: list[Action], now: float) -> None:
        for action in actions:
            match action:
                case Take(nic, address) | Release(nic, address) | Announce(nic, address):
                    self._answer(action, (nic, address))
                case Send():
                    self.spoke_at = now
                case _:
                    pass
        self.act(self, actions, now)
        self._see_timer()

    def _see_timer(self) -> None:
        timer = self.vips.next_timer() if self.runs and self.vips is not None else None
        self.due = float("inf") if timer is None else timer - self.offset_s

    def _answer(self, action: Take | Release | Announce, place: tuple[str, IPAddress]) -> None:
        """Answer for an address or not; an Announce is only for what is answered."""
        if isinstance(action, Take) is (place in self.answering):
            raise PairError(f"{self.name}: {action}, and it answers for {sorted(self.answering)}")
        if isinstance(action, Take):
            self.answering.add(place)
        elif isinstance(action, Release):
            self.answering.remove(place)


def packet_of(send: Send) -> Packet:
    """The packet that arrives."""
    return Packet(send.source, send.target, TTL, send.payload)
