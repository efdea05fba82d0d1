"""Two hosts with a sync group on two segments: they move as one, and never fight."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.layer2.actions import Action, Send
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.virtual_routers import VirtualRouters
from tests.unit.layer2.routers.virtual_router_playbook import port, router

SEGMENTS = ("in", "out")


class Pair:
    """Host 0 has priority 150, host 1 has 100; adverts take no time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cut: set[str] = set()
        self.hosts: dict[int, VirtualRouters] = {}
        self.start(0)
        self.start(1)

    @staticmethod
    def _ports(host: int, down: str = "") -> dict[str, Port]:
        return {
            name: port(f"10.0.{index}.{host + 1}/24", name=name, up=name != down)
            for index, name in enumerate(SEGMENTS)
        }

    def start(self, host: int) -> None:
        """A host begins."""
        mine = [
            router(name=name, interface=name, priority=(150, 100)[host], sync_group="both")
            for name in SEGMENTS
        ]
        self.hosts[host] = VirtualRouters()
        self.hosts[host].want(mine, self.now)
        self.carrier(host)

    def carrier(self, host: int, down: str = "") -> None:
        """All cables of a host are in, but one."""
        self._perform(host, self.hosts[host].ports(self._ports(host, down), self.now))

    def _perform(self, host: int, actions: Sequence[Action]) -> None:
        for action in actions:
            far = self.hosts.get(1 - host)
            if isinstance(action, Send) and far is not None and action.port not in self.cut:
                packet = Packet(action.source, action.target, TTL, action.payload)
                self._perform(1 - host, far.receive(action.port, packet, self.now))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            dues = [(routers.next_timer(), host) for host, routers in self.hosts.items()]
            due, host = min((due, host) for due, host in dues if due is not None)
            if due > end:
                break
            self.now = due
            self._perform(host, self.hosts[host].handle_timer(due))
        self.now = end

    def states(self, host: int) -> list[str]:
        """States of a host's routers on both segments."""
        return [report.state.value for report in self.hosts[host].report().routers]

    def moved(self) -> int:
        """How often any router became Master or was it no longer."""
        reports = [r for routers in self.hosts.values() for r in routers.report().routers]
        return sum(r.counters.became_master + r.counters.released_master for r in reports)


def test_the_better_host_has_both_segments() -> None:
    """One is Master everywhere, the other nowhere."""
    pair = Pair()
    pair.run_for(20)
    assert (pair.states(0), pair.states(1)) == (["master"] * 2, ["backup"] * 2)
    assert pair.moved() == 2


def test_a_cut_in_one_segment_moves_nothing() -> None:
    """The Backup still hears its Master on the other segment."""
    pair = Pair()
    pair.run_for(20)
    pair.cut = {"in"}
    pair.run_for(60)
    assert pair.moved() == 2


def test_a_lost_interface_moves_both_segments_at_once() -> None:
    """The host with the fault says so where it can: no down interval passes there."""
    pair = Pair()
    pair.run_for(20)
    pair.carrier(0, down="in")
    pair.run_for(4)
    assert (pair.states(0), pair.states(1)) == (["fault"] * 2, ["master"] * 2)
    pair.carrier(0)
    pair.run_for(4)
    assert (pair.states(0), pair.states(1)) == (["master"] * 2, ["backup"] * 2)


def test_a_dead_host_is_replaced_and_comes_back() -> None:
    """After its death the other has both segments; back again, it takes both."""
    pair = Pair()
    pair.run_for(20)
    del pair.hosts[0]
    pair.run_for(4)
    assert pair.states(1) == ["master"] * 2
    pair.start(0)
    pair.run_for(8)
    assert (pair.states(0), pair.states(1)) == (["master"] * 2, ["backup"] * 2)
