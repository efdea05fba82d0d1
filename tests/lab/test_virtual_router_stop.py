"""A virtual router of ours that stops, or leaves the files, hands over without losing a question."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.layer2_scene import NOTHING_S, longest_gap_s, wait_answered
from tests.lab.polling import poll
from tests.lab.router_scene import ADDRESS, OURS, THEIRS, Routers, virtual_router

pytestmark = pytest.mark.lab

NOTIFY = """#!/bin/sh
echo "$@" >> {path}
"""


@pytest.mark.parametrize("bind", ["lo", "interface"])
def test_a_stop_loses_nothing(workdir: Path, bind: str) -> None:
    """The one that stops answers, and has its addresses, until the other one is master."""
    with Routers(workdir) as scene:
        for name, priority in ((OURS, 150), (THEIRS, 100)):
            scene.run(virtual_router(priority=priority, bind=bind), name=name)
            scene.serve(name, ADDRESS)
        scene.wait_state("backup", name=THEIRS)
        client = scene.client(ADDRESS)
        wait_answered(client, OURS)
        moment = time.monotonic()
        assert scene.boxes[OURS].stop() == 0
        wait_answered(client, THEIRS)
        assert longest_gap_s([client], moment) < NOTHING_S


def test_a_router_that_leaves_the_files_hands_over(workdir: Path) -> None:
    """A VirtualRouter that is deleted says STOP, gives its address away and unbinds it."""
    with Routers(workdir) as scene:
        told, script = workdir / "told", workdir / "notify"
        script.write_text(NOTIFY.format(path=told), encoding="ascii")
        script.chmod(0o755)
        stays = virtual_router("stays", vrid=52, addresses=["10.0.0.253/24"])
        leaves = virtual_router(priority=150, bind="interface", notify=[str(script)])
        scene.run(stays, leaves)
        scene.run(virtual_router(priority=100, bind="interface"), name=THEIRS)
        for name in (OURS, THEIRS):
            scene.serve(name, ADDRESS)
        scene.wait_state("backup", name=THEIRS)
        client = scene.client(ADDRESS)
        wait_answered(client, OURS)
        moment = time.monotonic()
        scene.boxes[OURS].write(stays)
        wait_answered(client, THEIRS)
        assert longest_gap_s([client], moment) < NOTHING_S
        poll(lambda: f"{ADDRESS}/24" not in scene.bound(OURS, "eth1"), 10, "it to be unbound")
        poll(lambda: told.read_text("ascii").splitlines()[-1].endswith("STOP 150"), 10, "STOP")
        assert scene.states() == {"stays": "master"}
