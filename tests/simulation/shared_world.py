"""Nodes that share VIPs, on segments that lose, delay, repeat and cut, by one clock that moves only here."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial

from orchestrator.layer2.actions import Action, Probe, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import Packet
from orchestrator.model.settings import Transport
from tests.simulation.chances import Chances
from tests.simulation.shared_host import Heard, Host, packet_of
from tests.simulation.shared_referee import Referee
from tests.simulation.shared_views import NICS, Planner, Rules, View, address_on

SAMPLE_S = 0.02
DELAY_MS = 5
"""Longest time that a frame is on its way in peace, in ms."""
SLOW_MS = 60
JUST_S = 1e-9
"""What the difference of two clocks may lose of a time."""


class World:
    """Everything that one play is about."""

    def __init__(self, rules: Rules, chances: Chances) -> None:
        self.rules = rules
        self.chances = chances
        self.now = 0.0
        self.planner = Planner(rules, View(keys=chances.one_of(((), (b"first",)))))
        self.hosts = {
            name: Host(name, number, chances.between(0, 10**6) / 1000, self._act)
            for name, number in rules.numbers().items()
        }
        most_ports = chances.one_of((1, 1, 1, 2))
        for host in self.hosts.values():
            host.up = dict.fromkeys(NICS[: chances.between(1, most_ports)], True)
        self.cuts: set[tuple[str, str]] = set()
        self.group: dict[str, int] = {}
        self.loss_percent = 0
        self.slow = False
        self.bridged = False
        self.referee = Referee(self.planner, self.hosts)
        self.trace: list[str] = []
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._boots = itertools.count(1)
        self._sample_at = 0.0

    @property
    def is_crowded(self) -> bool:
        """Tell whether there are so many nodes that time is dear."""
        return len(self.rules.nodes) > 10

    # Time

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._later, (self.now + delay_s, next(self._order), what))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self._step(end)

    def run_until_calm(self) -> None:
        """Let time pass until there is peace, and everyone has been heard for long enough."""
        while not self.referee.peace(self.now, self.rules.preempt_delay_s + self.referee.slots_s):
            self.run_for(0.05)

    def _step(self, end: float) -> None:
        soonest = min(host.due for host in self.hosts.values())
        first = self._later[0][0] if self._later else end
        self.now = max(self.now, min(end, soonest, first, self._sample_at))
        while self._later and self._later[0][0] <= self.now:
            heapq.heappop(self._later)[2]()
        for host in self.hosts.values():
            if host.due <= self.now + JUST_S:
                host.tick(self.now + JUST_S)
        if self.now >= self._sample_at:
            self._sample_at = self.now + SAMPLE_S
            self.referee.look(self.now, bridged=self.bridged)

    # The network

    def _act(self, host: Host, actions: list[Action], now: float) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._carry(host, action)
            else:
                self.trace.append(f"{now:9.4f} {host.name} {action}")
                if isinstance(action, Probe):
                    self._ask_gateway(host, action)
                elif isinstance(action, Take):
                    self.referee.took((action.port, action.address))

    def _carry(self, host: Host, send: Send) -> None:
        if not host.up[send.port]:
            return
        packet, mac = packet_of(send), host.mac(send.port)
        for nic in NICS if self.bridged else (send.port,):
            for other in self.hosts.values():
                itself = other is host and nic == send.port
                if nic in other.up and not itself and self._reaches(host, other, nic, send):
                    self._deliver(other, (nic, packet, mac))

    def _reaches(self, host: Host, other: Host, nic: str, send: Send) -> bool:
        if (host.name, other.name) in self.cuts or self._side(host) != self._side(other):
            return False
        own = address_on(NICS.index(nic), other.number)
        return self.rules.transport is not Transport.UNICAST or send.target == own

    def _side(self, host: Host) -> int:
        return self.group.get(host.name, 0)

    def _deliver(self, other: Host, frame: tuple[str, Packet, MAC]) -> None:
        copies = 2 if self.loss_percent and self.chances.below(10) == 0 else 1
        for _ in range(copies):
            if self.chances.below(100) >= self.loss_percent:
                delay_s = self.chances.between(1, SLOW_MS if self.slow else DELAY_MS) / 1000
                self.after(delay_s, partial(other.hear, Heard(self.now + delay_s, *frame)))

    def _ask_gateway(self, host: Host, probe: Probe) -> None:
        """The gateway is on the side of those that no split took away."""
        alone = {(host.name, ""), ("", host.name)} & self.cuts
        if not alone and self._side(host) == 0:
            self.after(0.002, partial(self._answer, host, probe))

    def _answer(self, host: Host, probe: Probe) -> None:
        host.answered(probe.port, probe.address, self.now)

    # Nodes

    def start(self, name: str) -> None:
        """Start a node's process with what can be known now."""
        boot = next(self._boots).to_bytes(8, "big")
        desired = self.planner.desired(name, self.planner.view)
        self.hosts[name].start(boot, desired, self.now)

    def tell(self, name: str) -> None:
        """Let a node see what can be known now."""
        self.hosts[name].want(self.planner.desired(name, self.planner.view), self.now)

    def mend(self) -> None:
        """End all that disturbs: nodes run and see the same, and all hear all."""
        self.cuts.clear()
        self.group.clear()
        self.loss_percent, self.slow, self.bridged = 0, False, False
        self.planner.stale.clear()
        for name, host in self.hosts.items():
            if host.vips is None or host.leaving:
                host.kill()
                self.start(name)
            elif host.asleep:
                host.wake(self.now)
            for nic in host.up:
                host.up[nic] = True
            self.tell(name)
            host.plug(self.now)
