"""A minute of virtual routers side by side: whoever follows, goes on following."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.keepalived import Keepalived
from tests.lab.polling import poll, steady
from tests.lab.router_kinds import FOUR, KINDS, SIX, Kind
from tests.lab.router_scene import OURS, THEIRS, Routers
from tests.lab.vrrpd import Vrrpd

pytestmark = [pytest.mark.lab, pytest.mark.long]

PEACE_S = 60.0
HIGH, MIDDLE, LOW = 200, 150, 100
"""Priorities: ours is in the middle, the others are above or below it."""


class Crowd:
    """Ours with twelve virtual routers: with keepalived of each kind, with vrrpd of each family.

    Of each two ours is master in the first and backup in the second.
    """

    def __init__(self, scene: Routers) -> None:
        self._scene = scene
        led = [kind.numbered(60 + n) for n, kind in enumerate(KINDS)]
        followed = [kind.numbered(80 + n) for n, kind in enumerate(KINDS)]
        instances = [kind.theirs(LOW) for kind in led] + [kind.theirs(HIGH) for kind in followed]
        self._names = [kind.name for kind in (*led, *followed)]
        self._keepalived = Keepalived(scene.node(THEIRS), *instances)
        self._frr: list[Vrrpd] = []
        for node, kinds, vrid, priority in (
            ("frr1", led, 70, LOW),
            ("frr2", followed, 90, HIGH),
        ):
            both = [kind.numbered(vrid) for kind in (FOUR, SIX)]
            addresses = [address for kind in both for address in kind.addresses]
            self._frr.append(Vrrpd(scene.node(node), addresses, vrid=vrid, priority=priority))
            kinds.extend(both)
        self._ours = [*led, *followed]
        self.followed = {kind.name for kind in followed}

    def start(self) -> None:
        """Start all, and wait until everyone is in its place."""
        self._keepalived.start()
        for frr in self._frr:
            frr.start()
        self._scene.run(*(kind.ours(MIDDLE) for kind in self._ours))
        poll(self._settled, 30, "all to be in their places")

    def _settled(self) -> bool:
        states = self._scene.states()
        assert states == {kind.name: self._state(kind) for kind in self._ours}, states
        for name, seen in self.keepalived().items():
            assert (seen[-1] == "MASTER") is (name in self.followed), (name, seen)
        vrrpd = [frr.state(version) for frr in self._frr for version in (4, 6)]
        assert vrrpd == ["Backup", "Backup", "Master", "Master"], vrrpd
        return True

    def _state(self, kind: Kind) -> str:
        return "backup" if kind.name in self.followed else "master"

    def keepalived(self) -> dict[str, list[str]]:
        """States that each of keepalived's had so far."""
        return {name: self._keepalived.states(name) for name in self._names}

    def changes(self) -> list[object]:
        """Return all that counts changes of state, on all sides."""
        counters = [
            (name, router["counters"]["become_master"], router["counters"]["release_master"])
            for name, router in self._scene.routers().items()
        ]
        vrrpd = [frr.transitions(version) for frr in self._frr for version in (4, 6)]
        return [counters, vrrpd, self.keepalived()]


def test_nobody_changes_state_in_a_minute(workdir: Path) -> None:
    """Adverts of keepalived, FRR's vrrpd and ours stay accepted, in each direction and each kind."""
    with Routers(workdir, OURS, THEIRS, "frr1", "frr2") as scene:
        crowd = Crowd(scene)
        crowd.start()
        before, keepalived = crowd.changes(), crowd.keepalived()
        steady(lambda: crowd.keepalived() == keepalived, PEACE_S)
        assert crowd.changes() == before
        for name, router in scene.routers().items():
            if name in crowd.followed:
                assert router["counters"]["advertisements_received"] > PEACE_S / 2, router
