"""All 255 virtual routers that a segment can have, on one host and with one backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.layer2_scene import CLIENT
from tests.lab.polling import poll, steady
from tests.lab.router_scene import OURS, THEIRS, Routers, virtual_router

pytestmark = [pytest.mark.lab, pytest.mark.long]

VRIDS = range(1, 256)
FIRST, SECOND = OURS, THEIRS
CALM_S = 10.0
ALL_MASTER = {f"r{vrid}": "master" for vrid in VRIDS}
ALL_BACKUP = dict.fromkeys(ALL_MASTER, "backup")
LIMIT_S = 30.0


def routers(priority: int) -> list[str]:
    """Make every virtual router, at one advert a second."""
    return [
        virtual_router(
            f"r{vrid}",
            vrid=vrid,
            priority=priority,
            advertIntervalMs=1000,
            addresses=[f"10.1.0.{vrid}/24"],
        )
        for vrid in VRIDS
    ]


def mastered(scene: Routers, name: str) -> set[int]:
    """How often the virtual routers of a host became master."""
    return {router["counters"]["become_master"] for router in scene.routers(name).values()}


def wait_answered_by(scene: Routers, name: str) -> None:
    """Wait until the client has every address at the MAC of a host."""
    client = scene.node(CLIENT)
    for vrid in VRIDS:
        client.run(["ping", "-c", "1", "-W", "1", f"10.1.0.{vrid}"])
    shown = client.run(["ip", "neigh", "show", "to", "10.1.0.0/24"]).stdout
    assert shown.count(scene.mac(name)) == len(VRIDS), shown


def test_one_host_is_master_of_all_until_it_is_killed(workdir: Path) -> None:
    """The better host is master of all and stays it; the other is master of none, then of all."""
    with Routers(workdir) as scene:
        scene.node(CLIENT).run(["ip", "route", "add", "10.1.0.0/24", "dev", "eth1"])
        scene.run(*routers(150), name=FIRST)
        poll(lambda: scene.states(FIRST) == ALL_MASTER, LIMIT_S, "the first to be master of all")
        scene.run(*routers(100), name=SECOND)
        poll(lambda: scene.states(SECOND) == ALL_BACKUP, LIMIT_S, "the second to be backup of all")
        wait_answered_by(scene, FIRST)
        steady(lambda: scene.states(SECOND) == ALL_BACKUP, CALM_S, "the second is backup of all")
        assert (mastered(scene, FIRST), mastered(scene, SECOND)) == ({1}, {0})

        scene.kill(FIRST)
        poll(lambda: scene.states(SECOND) == ALL_MASTER, LIMIT_S, "the second to be master of all")
        wait_answered_by(scene, SECOND)
        steady(lambda: scene.states(SECOND) == ALL_MASTER, CALM_S, "the second is master of all")
        assert mastered(scene, SECOND) == {1}
