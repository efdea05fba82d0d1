"""Hellos of shared VIPs do not disturb virtual routers of others with the same number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.keepalived import Keepalived, instance
from tests.lab.layer2_scene import QUICK, Segment
from tests.lab.polling import steady
from tests.lab.router_scene import ADDRESS
from tests.lab.vrrpd import Vrrpd

pytestmark = pytest.mark.lab

OURS = ("n1", "n2")
HIGH, LOW = 150, 100
UNDISTURBED_S = 10.0


@contextmanager
def segment(workdir: Path) -> Iterator[Segment]:
    """Give four nodes on a segment; the hellos of the first two have VRID 51."""
    with Segment(workdir, (*OURS, "p1", "p2"), settings=f"{QUICK}, vrid: 51") as scene:
        yield scene


def start_sharing(scene: Segment) -> None:
    """Let our two share a VIP, and see that they hear each other's hellos."""
    scene.start(names=OURS)
    scene.settled()


def test_keepalived_goes_on(workdir: Path) -> None:
    """Master and backup of a keepalived pair stay so while hellos with their VRID go by."""
    with segment(workdir) as scene:
        first, second = (
            Keepalived(scene.node(name), instance("gateway", f"{ADDRESS}/24", priority=priority))
            for name, priority in (("p1", HIGH), ("p2", LOW))
        )
        first.start().wait_state("MASTER")
        second.start().wait_state("BACKUP")
        before = first.states(), second.states()
        start_sharing(scene)
        steady(lambda: (first.states(), second.states()) == before, UNDISTURBED_S)


def test_vrrpd_goes_on(workdir: Path) -> None:
    """Master and backup of a pair of FRR's vrrpd stay so while hellos with their VRID go by."""
    with segment(workdir) as scene:
        first, second = (
            Vrrpd(scene.node(name), [f"{ADDRESS}/24"], priority=priority)
            for name, priority in (("p1", HIGH), ("p2", LOW))
        )
        first.start().wait_state("Master")
        second.start().wait_state("Backup")
        before = first.transitions(), second.transitions()
        start_sharing(scene)
        steady(lambda: (first.transitions(), second.transitions()) == before, UNDISTURBED_S)
        assert (first.state(), second.state()) == ("Master", "Backup")
