"""A LAN with virtual routers of one VRID on a clock that moves only here, and a referee beside it."""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from orchestrator.layer2.actions import Action, Announce, Became, Release, RouterState, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.virtual_router import ANNOUNCE_INTERVAL_S
from orchestrator.layer2.routers.virtual_routers import VirtualRouters
from orchestrator.model.address import IPAddress
from orchestrator.model.virtual_router import VirtualRouter
from tests.simulation.chances import Chances
from tests.simulation.story import FoulError

NIC = "eth0"
VIPS = tuple(ipaddress.ip_interface(f"192.0.2.{last}/24") for last in (254, 253))
VIPS_IPV6 = tuple(map(ipaddress.ip_interface, ("fe80::fe/64", "2001:db8::fe/64")))
GRATUITOUS_S = (0.0, 0.05, 1.0)
"""When frames of an address that was taken go out (DESIGN 8.3), as far as it matters here."""
DELAY_S = 0.004
"""Longest time that a packet is on its way."""


class PairError(FoulError):
    """An address was taken twice, or released by who did not have it."""


class TwoMastersError(FoulError):
    """Two were Master for long although everyone heard everyone."""


class WrongMasterError(FoulError):
    """In peace nobody is Master, or the wrong one, or addresses are not where the Master is."""


class WokenMasterError(FoulError):
    """One that slept long goes on as Master."""


class BeliefError(FoulError):
    """In peace a client sends to another than the Master."""


class RestlessError(FoulError):
    """In peace a state changed without any cause."""


@dataclass
class Host:
    """One router: its configuration outlives its process."""

    router: VirtualRouter
    port: Port
    routers: VirtualRouters | None = None
    paused_at: float | None = None
    owned: set[IPAddress] = field(default_factory=set)
    waiting: list[tuple[Packet, float]] = field(default_factory=list)
    state: RouterState = RouterState.INIT
    wake: float | None = None

    @property
    def is_master(self) -> bool:
        """Tell whether it runs and is Master."""
        return self.state is RouterState.MASTER and self.paused_at is None

    @property
    def ips(self) -> set[IPAddress]:
        """Addresses of its interface."""
        return {address.ip for address in self.port.addresses}

    @property
    def addresses(self) -> set[IPAddress]:
        """What it takes as Master."""
        return {vip.ip for vip in (*self.router.addresses, *self.router.excluded_addresses)}

    @property
    def interval_s(self) -> float:
        """Its advert interval."""
        return self.router.advert_interval_ms / 1000


class Segment:
    """Carries packets, lets time pass, and cries foul."""

    def __init__(self, chances: Chances, routers: Sequence[VirtualRouter]) -> None:
        self.chances = chances
        self.now = 1000.0
        self.loss_percent = 0
        self.cut: set[tuple[int, int]] = set()
        self.trace: list[str] = []
        self.moves = 0
        self.hosts = [
            Host(router, port(index), None) for index, router in enumerate(routers, start=1)
        ]
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._heal_s = self.now
        self._two_since: float | None = None
        self._believed: int | None = None
        """Which host a client sends to; it hears everyone whose cable is in."""
        self._misled = False
        """Set when a Master went unheard beside another: only the refresh after 60 s helps there."""

    # Time

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._later, (self.now + delay_s, next(self._order), what))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._later and self._later[0][0] <= end:
            self.now, _, what = heapq.heappop(self._later)
            what()
            self._judge()
        self.now = end

    @property
    def longest_s(self) -> float:
        """The longest advert interval on the segment."""
        return max(host.interval_s for host in self.hosts)

    @property
    def alone_s(self) -> float:
        """How long it may take in peace until one is Master: a first advert, a down interval.

        The latter is three intervals and a skew of less than one.
        """
        return 5 * self.longest_s + 2 * DELAY_S

    @property
    def right_s(self) -> float:
        """How much longer until it is the right one: a preempt delay, then a down interval."""
        delay_s = max(host.router.preempt_delay_ms for host in self.hosts) / 1000
        return delay_s + 4 * self.longest_s if delay_s else 0.0

    # What happens to hosts

    def start(self, index: int) -> None:
        """A process starts on a host where none runs."""
        host = self.hosts[index]
        if host.routers is None:
            host.routers, host.paused_at = VirtualRouters(), None
            host.waiting.clear()
            self._perform(index, host.routers.want([host.router], self.now))
            self._perform(index, host.routers.ports({NIC: host.port}, self.now))

    def kill(self, index: int) -> None:
        """A process is gone, with all it had."""
        host = self.hosts[index]
        if host.state is RouterState.MASTER:
            self._misled = True
        host.routers, host.state, host.paused_at = None, RouterState.INIT, None
        host.owned.clear()

    def stop(self, index: int) -> None:
        """A process stops in order; it is gone as soon as it has finished."""
        host = self.hosts[index]
        if host.routers is not None and host.paused_at is None:
            self._perform(index, host.routers.leave(self.now))

    def pause(self, index: int) -> None:
        """A process stands still."""
        host = self.hosts[index]
        if host.routers is not None and host.paused_at is None:
            host.paused_at = self.now

    def wake(self, index: int) -> None:
        """A process goes on: lateness first, then packets by their age, then timers."""
        host = self.hosts[index]
        if host.routers is None or host.paused_at is None:
            return
        slept_s, host.paused_at = self.now - host.paused_at, None
        self._perform(index, host.routers.step_back(self.now, slept_s))
        if host.is_master and slept_s > 3 * host.interval_s:
            raise WokenMasterError(f"{index} slept {slept_s:.3f} s")
        arrived, host.waiting = host.waiting, []
        for packet, at in arrived:
            if host.routers is not None:
                self._perform(index, host.routers.receive(NIC, packet, at))
        self._fire(index)

    def configure(self, index: int, router: VirtualRouter) -> None:
        """The configuration of a host changes."""
        host = self.hosts[index]
        host.router = router
        if host.routers is not None and host.paused_at is None:
            self._perform(index, host.routers.want([router], self.now))

    def carrier(self, index: int, *, up: bool) -> None:
        """A cable is pulled, or plugged in."""
        host = self.hosts[index]
        host.port = replace(host.port, up=up)
        if host.routers is not None and host.paused_at is None:
            self._perform(index, host.routers.ports({NIC: host.port}, self.now))

    def heal(self) -> None:
        """Every fault ends."""
        self.loss_percent = 0
        self.cut.clear()
        for index, host in enumerate(self.hosts):
            self.carrier(index, up=True)
            self.wake(index)
            if host.routers is not None:
                self._perform(index, host.routers.ports({NIC: host.port}, self.now))
                self._perform(index, host.routers.want([host.router], self.now))
            self.start(index)
        self._heal_s = self.now

    # The client

    def _tell_client(self, index: int) -> None:
        host = self.hosts[index]
        if host.is_master and host.port.up and host.owned:
            self._believed = index

    def _leaves_master(self, index: int) -> None:
        """Note a Master whose last word another Master may not hear."""
        others = [host for i, host in enumerate(self.hosts) if i != index]
        asleep = any(host.paused_at is not None or not host.port.up for host in self.hosts)
        rival = any(host.state is RouterState.MASTER for host in others)
        if rival and (asleep or self.cut or self.loss_percent):
            self._misled = True

    # Packets

    def _perform(self, index: int, actions: Sequence[Action]) -> None:
        host = self.hosts[index]
        for action in actions:
            match action:
                case Send(source=source, target=target, payload=payload):
                    self._transmit(index, Packet(source, target, TTL, payload))
                case Take(address=address):
                    self._must(address not in host.owned, f"{index} takes {address} twice")
                    host.owned.add(address)
                    self._misled = False
                    for delay_s in GRATUITOUS_S:
                        self.after(delay_s, partial(self._tell_client, index))
                case Release(address=address):
                    self._must(address in host.owned, f"{index} has no {address}")
                    host.owned.remove(address)
                case Announce():
                    self._tell_client(index)
                case Became(old=old, new=new, reason=reason):
                    if old is RouterState.MASTER:
                        self._leaves_master(index)
                    host.state = new
                    self.moves += 1
                    self.trace.append(f"{self.now:.3f} {index} {new.value}: {reason}")
                case _:
                    pass
        if host.routers is not None and host.routers.finished:
            self.kill(index)
        self._schedule(index)

    @staticmethod
    def _must(right: bool, foul: str) -> None:
        if not right:
            raise PairError(foul)

    def _transmit(self, index: int, packet: Packet) -> None:
        if not self.hosts[index].port.up:
            return
        for far in range(len(self.hosts)):
            lost = (index, far) in self.cut or self.chances.below(100) < self.loss_percent
            reached = packet.target.is_multicast or packet.target in self.hosts[far].ips
            if far != index and reached and not lost:
                self._carry(far, packet)
                if self.loss_percent and self.chances.below(10) == 0:
                    self._carry(far, packet)

    def _carry(self, far: int, packet: Packet) -> None:
        delay_s = self.chances.between(50, round(DELAY_S * 1e6)) / 1e6
        self.after(delay_s, lambda: self._arrive(far, packet))

    def _arrive(self, index: int, packet: Packet) -> None:
        host = self.hosts[index]
        if host.routers is None or not host.port.up:
            return
        if host.paused_at is not None:
            host.waiting.append((packet, self.now))
        else:
            self._perform(index, host.routers.receive(NIC, packet, self.now))

    # Timers

    def _schedule(self, index: int) -> None:
        host = self.hosts[index]
        due = host.routers.next_timer() if host.routers is not None else None
        if due is not None and due != host.wake:
            host.wake = due
            self.after(max(0.0, due - self.now), lambda: self._fire(index))

    def _fire(self, index: int) -> None:
        host = self.hosts[index]
        if host.routers is not None and host.paused_at is None:
            host.wake = None
            self._perform(index, host.routers.handle_timer(self.now))

    # The referee

    def _judge(self) -> None:
        whole = not self.loss_percent and not self.cut
        awake = all(host.paused_at is None and host.port.up for host in self.hosts)
        masters = sum(host.is_master for host in self.hosts)
        if masters < 2 or not whole or not awake:
            self._two_since = None
        elif self._two_since is None:
            self._two_since = self.now
        elif self.now - self._two_since > self.longest_s + 2 * DELAY_S:
            raise TwoMastersError(f"two are Master since {self._two_since:.3f}")

    def settle(self) -> None:
        """Let nothing go wrong for long enough; judge who is Master, and that it stays so."""
        self.run_for(self.alone_s)
        if not any(host.is_master for host in self.hosts):
            raise WrongMasterError("none is Master")
        self.run_for(self.right_s + ANNOUNCE_INTERVAL_S + self.longest_s)
        self._judge_right()
        moves = self.moves
        self.run_for(10 * self.longest_s)
        if self.moves != moves:
            raise RestlessError(self.trace[-1])

    def _judge_right(self) -> None:
        masters = [host for host in self.hosts if host.is_master]
        if len(masters) != 1:
            raise WrongMasterError(f"{len(masters)} are Master")
        master = masters[0]
        if not self._misled and self.hosts.index(master) != self._believed:
            raise BeliefError(f"a client sends to {self._believed}")
        for host in self.hosts:
            better = host.router.priority > master.router.priority
            if better and (host.router.preempt or host.router.priority == 255):
                raise WrongMasterError("a better one that preempts is not Master")
            if host.owned != (host.addresses if host is master else set()):
                raise WrongMasterError(f"{host.state} has {sorted(map(str, host.owned))}")


def port(number: int) -> Port:
    """The interface of a host."""
    addresses = (f"192.0.2.{number}/24", f"fe80::{number}/64")
    mac = MAC(bytes((2, 0, 0, 0, 0, number)))
    return Port(NIC, 2, mac, addresses=tuple(map(ipaddress.ip_interface, addresses)))
