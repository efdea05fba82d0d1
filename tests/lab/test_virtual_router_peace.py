"""A minute of virtual routers side by side: whoever follows, goes on following."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.keepalived import Keepalived, instance
from tests.lab.polling import poll, steady
from tests.lab.router_scene import OURS, THEIRS, Routers, virtual_router
from tests.lab.vrrpd import Vrrpd

pytestmark = [pytest.mark.lab, pytest.mark.long]

PEACE_S = 60.0
STATES = ("master", "backup")
"""Of ours, in the two pairs of each kind."""
HIGH, MIDDLE, LOW = 200, 150, 100
"""Priorities: ours is in the middle, the others are above or below it."""
KINDS: Mapping[str, tuple[Mapping[str, Any], str, float]] = {
    "old": (
        {"version": 2, "advertIntervalMs": 1000, "authentication": {"password": "s3cret"}},
        "version 2\n authentication {\n auth_type PASS\n auth_pass s3cret\n }",
        1.0,
    ),
    "four": ({}, "", 0.1),
    "six": ({}, "", 0.1),
    "unicast": (
        {"unicastPeers": ["10.0.0.2"]},
        "unicast_src_ip 10.0.0.2\n unicast_peer {\n 10.0.0.1\n }",
        0.1,
    ),
}
"""Ours, keepalived's lines, and the interval in seconds."""


def addresses(kind: str, vrid: int) -> tuple[str, ...]:
    """Addresses of a virtual router: by its family and number."""
    if kind == "six":
        return f"fe80::{vrid}/64", f"fd00::{vrid}/64"
    return (f"10.0.0.{vrid}/24",)


class Crowd:
    """Ours with ten virtual routers: four pairs with keepalived, two with vrrpd's of both families.

    Of each pair ours is master in the first and backup in the second.
    """

    def __init__(self, scene: Routers) -> None:
        self._scene = scene
        ours: list[str] = []
        theirs: list[str] = []
        self.wanted: dict[str, str] = {}
        for number, (kind, (fields, lines, interval_s)) in enumerate(KINDS.items()):
            for above in (False, True):
                name, vrid = f"{kind}-{'backup' if above else 'master'}", 50 + 2 * number + above
                own = addresses(kind, vrid)
                priority = HIGH if above else LOW
                ours.append(self._ours(name, vrid, own, **fields))
                text = instance(
                    name, *own, vrid=vrid, priority=priority, interval=interval_s, lines=lines
                )
                theirs.append(text)
        self._frr: list[Vrrpd] = []
        for node, vrid, priority in (("frr1", 70, LOW), ("frr2", 71, HIGH)):
            both = [addresses(kind, vrid) for kind in ("four", "six")]
            for family, own in zip(("four", "six"), both, strict=True):
                state = "master" if priority == LOW else "backup"
                ours.append(self._ours(f"{node}-{family}-{state}", vrid, own))
            flat = [address for own in both for address in own]
            self._frr.append(Vrrpd(scene.node(node), flat, vrid=vrid, priority=priority))
        self._keepalived = Keepalived(scene.node(THEIRS), *theirs)
        self._ours_text = ours

    def _ours(self, name: str, vrid: int, own: tuple[str, ...], **fields: Any) -> str:
        self.wanted[name] = name.rpartition("-")[2]
        return virtual_router(name, vrid=vrid, priority=MIDDLE, addresses=list(own), **fields)

    def start(self) -> None:
        """Start all, and wait until ours are as they should be."""
        self._keepalived.start()
        for frr in self._frr:
            frr.start()
        self._scene.run(*self._ours_text)
        poll(self._settled, 30, "all to be in their places")

    def _settled(self) -> bool:
        states = self._scene.states()
        assert states == self.wanted, states
        for name, seen in self.keepalived().items():
            assert (seen[-1] == "MASTER") is (self.wanted[name] == "backup"), (name, seen)
        assert [frr.state(v) for frr in self._frr for v in (4, 6)] == [
            *["Backup"] * 2,
            *["Master"] * 2,
        ]
        return True

    def keepalived(self) -> dict[str, list[str]]:
        """States that each of keepalived's had so far."""
        return {f"{k}-{s}": self._keepalived.states(f"{k}-{s}") for k in KINDS for s in STATES}

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
            if crowd.wanted[name] == "backup":
                assert router["counters"]["advertisements_received"] > PEACE_S / 2, router
