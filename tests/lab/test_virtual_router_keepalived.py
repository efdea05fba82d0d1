"""A virtual router of ours and keepalived are one: each takes over from the other, in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.keepalived import Keepalived
from tests.lab.layer2_scene import wait_answered
from tests.lab.polling import poll, steady
from tests.lab.router_kinds import FOUR, KINDS, Kind
from tests.lab.router_scene import OURS, THEIRS, Routers

pytestmark = pytest.mark.lab

HIGHEST, HIGH, LOW, LOWEST = 200, 150, 100, 50


class Pair:
    """Ours and keepalived in one virtual router of each kind, and clients that ask them."""

    def __init__(self, scene: Routers, kinds: tuple[Kind, ...]) -> None:
        self.scene = scene
        self._kinds = kinds
        self.theirs = Keepalived(scene.node(THEIRS))
        asked = [kind.asked for kind in kinds]
        for name in (OURS, THEIRS):
            scene.serve(name, *asked)
        self._clients = [scene.client(address, 5) for address in asked]

    def start_ours(self, priority: int, *, preempt: bool = True) -> None:
        """Start ours."""
        self.scene.run(*(kind.ours(priority, preempt=preempt) for kind in self._kinds))

    def start_theirs(self, priority: int, lines: str = "") -> None:
        """Start keepalived."""
        instances = [kind.theirs(priority, lines) for kind in self._kinds]
        self.theirs = Keepalived(self.scene.node(THEIRS), *instances).start()

    def wait_ours(self, state: str) -> None:
        """Wait until all of ours are in a state."""
        wanted = {kind.name: state for kind in self._kinds}

        def so() -> bool:
            states = self.scene.states()
            assert states == wanted, states
            return True

        poll(so, 20, f"ours to be {state}")

    def wait_theirs(self, state: str) -> None:
        """Wait until all of keepalived's are in a state."""
        for kind in self._kinds:
            self.theirs.wait_state(state, kind.name)

    def wait_answered(self, name: str) -> None:
        """Wait until every client is answered by one of the two."""
        for client in self._clients:
            wait_answered(client, name)

    def wait_master(self, name: str) -> None:
        """Wait until one of them is master, the other backup, and the clients see it."""
        self.wait_answered(name)
        self.wait_ours("master" if name == OURS else "backup")
        self.wait_theirs("MASTER" if name == THEIRS else "BACKUP")


@contextmanager
def pair(workdir: Path, *kinds: Kind) -> Iterator[Pair]:
    """Give two nodes and a client; nothing runs yet."""
    with Routers(workdir) as scene:
        yield Pair(scene, kinds)


def test_each_follows_the_other_and_takes_over_when_it_stops(workdir: Path) -> None:
    """Of ours and keepalived the better one is master, and the other when it stops.

    Ours preempts when it returns; a keepalived of higher priority preempts ours. Version 2 with
    PASS, version 3 in both families, and unicast.
    """
    with pair(workdir, *KINDS) as both:
        both.start_theirs(LOW)
        both.wait_theirs("MASTER")
        both.start_ours(HIGH)
        both.wait_master(OURS)

        assert both.scene.boxes[OURS].stop() == 0
        both.wait_theirs("MASTER")
        both.wait_answered(THEIRS)

        both.start_ours(HIGH)
        both.wait_master(OURS)

        both.theirs.stop()
        both.start_theirs(HIGHEST)
        both.wait_master(THEIRS)

        both.theirs.stop()
        both.wait_ours("master")
        both.wait_answered(OURS)


def test_each_takes_over_when_the_other_is_killed(workdir: Path) -> None:
    """After kill -9 of the master, ours or keepalived, the other is master and the clients have it."""
    with pair(workdir, *KINDS) as both:
        both.start_ours(HIGH)
        both.start_theirs(LOW)
        both.wait_master(OURS)
        both.scene.kill()
        both.wait_theirs("MASTER")
        both.wait_answered(THEIRS)

        both.start_ours(LOWEST)
        both.wait_ours("backup")
        both.theirs.kill()
        both.wait_ours("master")
        both.wait_answered(OURS)


def test_each_takes_over_when_the_link_of_the_other_fails(workdir: Path) -> None:
    """The master's link goes down: it is in fault, the other master; it comes back and preempts."""
    with pair(workdir, FOUR) as both:
        both.start_theirs(LOW)
        both.start_ours(HIGH)
        both.wait_master(OURS)

        both.scene.node(OURS).link_down("eth1")
        both.wait_ours("fault")
        both.wait_theirs("MASTER")
        both.wait_answered(THEIRS)
        both.scene.node(OURS).link_up("eth1")
        both.wait_master(OURS)

        both.theirs.stop()
        both.start_theirs(HIGHEST)
        both.wait_master(THEIRS)
        both.scene.node(THEIRS).link_down("eth1")
        both.wait_ours("master")
        both.wait_answered(OURS)
        both.scene.node(THEIRS).link_up("eth1")
        both.wait_master(THEIRS)


def test_nobody_preempts_who_was_told_not_to(workdir: Path) -> None:
    """With preempt off a better router of ours lets keepalived be master, and the other way round."""
    with pair(workdir, FOUR) as both:
        both.start_theirs(LOW)
        both.wait_theirs("MASTER")
        both.start_ours(HIGH, preempt=False)
        both.wait_ours("backup")
        steady(lambda: both.theirs.states(FOUR.name)[-1] == "MASTER", 2, "keepalived is master")

        both.theirs.stop()
        both.wait_ours("master")
        before = len(both.theirs.states(FOUR.name))
        both.start_theirs(HIGHEST, "nopreempt")
        poll(lambda: len(both.theirs.states(FOUR.name)) > before, what="keepalived to be backup")
        steady(lambda: both.theirs.states(FOUR.name)[-1] == "BACKUP", 2, "keepalived is backup")
        both.wait_answered(OURS)
