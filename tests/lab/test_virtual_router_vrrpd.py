"""A virtual router of ours and FRR's vrrpd are one, in both families and in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.layer2_scene import wait_answered
from tests.lab.router_scene import (
    ADDRESS,
    ADDRESS6,
    LINK_LOCAL6,
    OURS,
    THEIRS,
    Routers,
    virtual_router,
)
from tests.lab.vrrpd import Vrrpd

pytestmark = pytest.mark.lab

HIGH, LOW = 150, 100
IPV4 = (f"{ADDRESS}/24",)
IPV6 = (f"{LINK_LOCAL6}/64", f"{ADDRESS6}/64")


def test_each_takes_over_from_the_other(workdir: Path) -> None:
    """The vrrpd takes over when ours stops and when it is killed, and is preempted; so is ours.

    IPv4 and IPv6 at once, from one configuration each.
    """
    with Routers(workdir) as scene:
        clients = [scene.client(asked, 5) for asked in (ADDRESS, ADDRESS6)]
        for name in (OURS, THEIRS):
            scene.serve(name, ADDRESS, ADDRESS6)
        routers = [
            virtual_router("four", priority=HIGH, addresses=IPV4),
            virtual_router("six", priority=HIGH, addresses=IPV6),
        ]
        frr = Vrrpd(scene.node(THEIRS), [*IPV4, *IPV6], priority=LOW).start()

        def wait_master(name: str) -> None:
            for version, client in zip((4, 6), clients, strict=True):
                frr.wait_state("Master" if name == THEIRS else "Backup", version)
                wait_answered(client, name)
            for router in ("four", "six"):
                scene.wait_state("master" if name == OURS else "backup", router)

        for end in (scene.boxes[OURS].stop, scene.kill):
            scene.run(*routers)
            wait_master(OURS)
            end()
            for version, client in zip((4, 6), clients, strict=True):
                frr.wait_state("Master", version)
                wait_answered(client, THEIRS)

        scene.run(*routers)
        wait_master(OURS)
        frr.configure("interface eth1", f"vrrp 51 priority {HIGH + 50}")
        wait_master(THEIRS)
        frr.kill()
        for router, client in zip(("four", "six"), clients, strict=True):
            scene.wait_state("master", router)
            wait_answered(client, OURS)
