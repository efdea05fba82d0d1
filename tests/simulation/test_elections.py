"""Replicas of the controller through pauses, slow answers, lost ones and stops: one at most may write.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from orchestrator.kube.lease import DURATION_S, Action, Election, Leading, Lease, WriteLease
from tests.simulation.chances import Chances
from tests.simulation.story import batch, batches

GATE = 500
STEP_S = 0.05
HANDED_OVER_S = 8.0
"""Both writes as slow as they get, and one of them lost."""
TAKEN_OVER_S = DURATION_S + 6.0
"""The time of the lease, and two attempts with answers as slow as they get."""


@dataclass
class Replica:
    """One controller; `offset_s` makes its clock its own."""

    name: str
    offset_s: float
    election: Election
    paused_until: float = 0.0
    cut: bool = False
    gone: bool = False


class World:
    """The Lease on its server, and all replicas."""

    def __init__(self, seed: int) -> None:
        self.chances = Chances(seed)
        self.now = 0.0
        self.lease = Lease()
        self._version = itertools.count(1)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        names = ("a", "b", "c")[: self.chances.between(2, 3)]
        self.replicas = [self.replica(name) for name in names]

    def replica(self, name: str) -> Replica:
        """Start a replica."""
        made = Replica(name, self.chances.below(10**6) / 1000, Election(name, self.spread))
        self.after(0.1, lambda: self.show(made))
        return made

    def spread(self, low: float, high: float) -> float:
        """Return a number between two others."""
        return low + (high - low) * self.chances.below(1000) / 999

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._later, (self.now + delay_s, next(self._order), what))

    def run_for(self, seconds: float) -> None:
        """Let time pass; at no moment may two write."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            while self._later and self._later[0][0] <= self.now:
                heapq.heappop(self._later)[2]()
            for replica in self.replicas:
                self.turn(replica)
            assert len(self.writers()) <= 1, f"{self.now:.2f} {self.writers()}"

    def writers(self) -> list[str]:
        """Who may write now; one that is paused could not ask itself before it wakes."""
        return [
            one.name
            for one in self.replicas
            if not one.gone and one.election.may_write(self.now + one.offset_s)
        ]

    def turn(self, replica: Replica) -> None:
        """Let a replica do what is due."""
        timer = replica.election.next_timer()
        awake = not replica.gone and self.now >= replica.paused_until
        if awake and timer is not None and timer <= self.now + replica.offset_s:
            self.do(replica, replica.election.handle_timer(self.now + replica.offset_s))

    def do(self, replica: Replica, actions: list[Action]) -> None:
        """Send writes; their answers may be slow, or lost."""
        for action in actions:
            if isinstance(action, WriteLease):
                delay_s = self.chances.one_of((0.01, 0.01, 0.3, 2.0))
                self.after(delay_s, partial(self.write, replica, action))
            else:
                assert isinstance(action, Leading)

    def write(self, replica: Replica, wanted: WriteLease) -> None:
        """Take a write if it is based on what there is."""
        lost = replica.cut or self.chances.below(20) == 0
        taken = wanted.version == self.lease.version and not replica.cut
        if taken:
            version = str(next(self._version))
            self.lease = Lease(wanted.holder, DURATION_S, version, wanted.transitions, version)
            for other in self.replicas:
                self.after(0.02, partial(self.show, other))
        now = self.now + replica.offset_s
        if replica.gone or self.now < replica.paused_until:
            return
        if taken and not lost:
            self.do(replica, replica.election.written(self.lease, now))
        else:
            self.do(replica, replica.election.refused(now))
            if not (taken or lost):  # the answer says so: it is read anew
                self.after(0.01, partial(self.show, replica))

    def show(self, replica: Replica) -> None:
        """Let a replica see the Lease as it is."""
        if replica.gone or replica.cut:
            return
        if self.now < replica.paused_until:
            self.after(replica.paused_until - self.now, lambda: self.show(replica))
            return
        self.do(replica, replica.election.observe(self.lease, self.now + replica.offset_s))


def happen(world: World) -> None:
    """Pause, cut off, kill, stop or start one of them."""
    replica = world.chances.one_of(world.replicas)
    match world.chances.below(5):
        case 0:
            replica.paused_until = world.now + world.chances.one_of((1.0, 20.0, 60.0))
        case 1:
            replica.cut = True
            world.after(world.chances.one_of((3.0, 30.0)), lambda: heal(world, replica))
        case 2:
            replica.gone = True
        case 3 if world.now >= replica.paused_until:
            world.do(replica, replica.election.leave(world.now + replica.offset_s))
            world.after(3.0, lambda: end(replica))
        case _:
            pass
    if all(one.gone for one in world.replicas) or world.chances.below(3) == 0:
        world.replicas.append(world.replica(f"r{len(world.replicas)}"))


def heal(world: World, replica: Replica) -> None:
    """Let a replica reach the server again."""
    replica.cut = False
    world.show(replica)


def end(replica: Replica) -> None:
    """End a process."""
    replica.gone = True


@pytest.mark.parametrize("first", batches(GATE))
def test_one_at_most_may_write_and_soon_one_does(first: int) -> None:
    """Whatever happens to replicas, no two may write at once; when all is well, one does in time."""
    for seed in batch(first, GATE):
        world = World(seed)
        for _ in range(world.chances.between(2, 8)):
            world.run_for(world.chances.one_of((0.5, 3.0, 17.0)))
            happen(world)
        for replica in world.replicas:
            replica.paused_until, replica.cut = min(replica.paused_until, world.now), False
        world.replicas.append(world.replica("last"))
        for replica in world.replicas:
            world.show(replica)
        world.run_for(60.0)
        assert len(world.writers()) == 1, f"seed {seed}: {world.lease}"


def pair(seed: int = 1) -> tuple[World, Replica, Replica]:
    """The one that leads, and the other one."""
    world = World(seed)
    world.replicas = [world.replica(name) for name in ("a", "b")]
    world.run_for(10.0)
    (name,) = world.writers()
    first, second = sorted(world.replicas, key=lambda one: one.name != name)
    return world, first, second


@pytest.mark.parametrize("seed", range(10))
def test_a_stop_hands_over_at_once(seed: int) -> None:
    """After a holder has left, another one writes as soon as two writes take."""
    world, first, second = pair(seed)
    world.do(first, first.election.leave(world.now + first.offset_s))
    assert world.writers() == []
    world.run_for(HANDED_OVER_S)
    assert first.election.left
    assert world.writers() == [second.name]


def test_a_dead_holder_is_replaced_when_its_lease_is_over() -> None:
    """Nobody takes over before the lease has run out, and somebody does soon after."""
    world, first, second = pair()
    first.gone = True
    world.run_for(DURATION_S - 5.0 - 1.0)
    assert world.writers() == []
    world.run_for(TAKEN_OVER_S)
    assert world.writers() == [second.name]


def test_one_that_was_paused_writes_nothing_when_it_wakes() -> None:
    """A holder that slept for a minute may not write at the moment it wakes, and has lost it."""
    world, first, second = pair()
    first.paused_until = world.now + 60.0
    world.run_for(60.0 - STEP_S)
    assert world.writers() == [second.name]
    world.run_for(5.0)
    assert world.writers() == [second.name]


@pytest.mark.parametrize("seed", range(10))
def test_a_restored_store_that_the_watch_says_nothing_of(seed: int) -> None:
    """A holder whose Lease has gone back to an older version in silence goes on holding it."""
    world, first, second = pair(seed)
    older = world.lease
    world.run_for(2 * DURATION_S)
    world.lease = older
    world.run_for(DURATION_S)
    assert world.writers() == [first.name]
    second.gone = True
    world.run_for(2 * DURATION_S)
    assert world.writers() == [first.name]


def test_a_lease_of_another_kind_of_holder_is_waited_for() -> None:
    """A Lease that somebody else made with a longer time is not touched before that is over."""
    election = Election("a", lambda low, high: (low + high) / 2)
    foreign = Lease("other", 60.0, "then", 3, "7")
    assert election.observe(foreign, 100.0) == []
    timer = election.next_timer()
    assert timer is not None
    assert timer > 160.0
    assert election.handle_timer(159.0) == []
    assert election.handle_timer(timer) == [WriteLease("a", 4, fresh=True, version="7")]
    mine = replace(foreign, holder="a", version="8")
    assert election.written(mine, timer + 0.1) == [Leading(leads=True, why="the lease was free")]
    assert election.observe(replace(mine, holder="other", version="9"), timer + 1.0) == [
        Leading(leads=False, why="other holds the lease")
    ]
