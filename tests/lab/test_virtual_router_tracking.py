"""What virtual routers follow decides who is master: interfaces, files, commands, health, each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.runner import Lab
from orchestrator.lab.segment import addressed, switch
from orchestrator.lab.topology import Endpoint, Link, NodeSpec, Topology
from tests.lab.appliance import Appliance
from tests.lab.harness import lab_name, require
from tests.lab.keepalived import Keepalived, instance
from tests.lab.polling import poll
from tests.lab.router_scene import OURS, THEIRS, Routers, virtual_router

pytestmark = pytest.mark.lab

HIGH, MIDDLE, WEIGHT = 150, 120, -60
"""Ours while all is well, keepalived's, and what ours loses when it is not."""
CHECKED = """
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: web}}
spec:
  addresses: [10.0.0.200]
  bind: none
  check: {{exec: {{command: [/usr/bin/test, -e, {path}]}}, intervalMs: 200, rise: 1, fall: 1}}
---
"""
NOTIFY = """#!/bin/sh
echo "$@" >> {path}
"""


class World:
    """Everything that can be followed: an interface, a file with a number, two that are there or not."""

    def __init__(self, scene: Routers, directory: Path) -> None:
        self._node = scene.node(OURS)
        self._node.run(["ip", "link", "add", "uplink", "type", "veth", "peer", "name", "other-end"])
        self._node.link_up("uplink")
        self._number, self._works = directory / "number", directory / "works"
        self.improve()

    def improve(self) -> None:
        """Let everything be well."""
        self._node.link_up("other-end")
        self._number.write_text("0\n", encoding="ascii")
        self._works.touch()

    def spoil(self) -> None:
        """Let nothing be well."""
        self._node.link_down("other-end")
        self._number.write_text("1\n", encoding="ascii")
        self._works.unlink()

    def tracks(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what each router follows."""
        command = {"command": ["/usr/bin/test", "-e", str(self._works)], "intervalMs": 200}
        vital: dict[str, dict[str, Any]] = {
            "interface": {"interface": "uplink"},
            "file": {"file": str(self._number), "weight": 0},
            "command": command,
            "health": {"virtualIP": "web"},
        }
        weighted = {f"{name}-weight": {**track, "weight": WEIGHT} for name, track in vital.items()}
        return {**vital, **weighted}

    @property
    def documents(self) -> str:
        """The VirtualIP whose health is followed."""
        return CHECKED.format(path=self._works)


def test_what_is_followed_decides_with_and_without_weight(workdir: Path) -> None:
    """Of eight routers that follow one thing each, those without a weight are in fault when it fails.

    The others lose so much that keepalived preempts; when all is well again, ours preempt.
    """
    with Routers(workdir) as scene:
        world = World(scene, workdir)
        tracks = world.tracks()
        addresses = {name: f"10.0.0.{100 + n}/24" for n, name in enumerate(tracks)}
        vrids = {name: n for n, name in enumerate(tracks, start=60)}
        routers = [
            virtual_router(
                name, vrid=vrids[name], priority=HIGH, addresses=[addresses[name]], track=[track]
            )
            for name, track in tracks.items()
        ]
        theirs = Keepalived(
            scene.node(THEIRS),
            *(instance(n, addresses[n], vrid=vrids[n], priority=MIDDLE) for n in tracks),
        ).start()
        scene.run(world.documents, *routers)

        def states(theirs_state: str, ours: Mapping[str, str]) -> bool:
            assert scene.states() == ours
            assert {name: theirs.states(name)[-1] for name in tracks} == dict.fromkeys(
                tracks, theirs_state
            )
            return True

        well = dict.fromkeys(tracks, "master")
        ill = {name: "backup" if name.endswith("weight") else "fault" for name in tracks}
        poll(lambda: states("BACKUP", well), 20)
        world.spoil()
        poll(lambda: states("MASTER", ill), 20)
        lowered = {router["effectivePriority"] for router in scene.routers().values()}
        assert HIGH + WEIGHT in lowered
        world.improve()
        poll(lambda: states("BACKUP", well), 20)


def two_segments() -> Topology:
    """Join two nodes on their eth1 and on their eth2, each through a switch of its own."""
    networks = {OURS: ("10.0.0.1/24", "10.1.0.1/24"), THEIRS: ("10.0.0.2/24", "10.1.0.2/24")}
    nodes: dict[str, NodeSpec] = {}
    links = []
    for side in ("1", "2"):
        bridge = f"switch{side}"
        made = switch(2)
        nodes[bridge] = NodeSpec(bridge, exec=made.exec)
        for port, name in enumerate(networks, start=1):
            ends = (Endpoint(name, f"eth{side}"), Endpoint(bridge, f"eth{port}"))
            links.append(Link(ends, 1500))
    for name, (lan, wan) in networks.items():
        spec = addressed(name, [lan])
        more = ("ip", "addr", "add", wan, "dev", "eth2")
        nodes[name] = NodeSpec(name, exec=(*spec.exec, more), sysctls=spec.sysctls)
    return Topology(lab_name(), nodes, tuple(links), directory=Path("/"))


def test_sync_group_moves_as_one(workdir: Path) -> None:
    """When one link of two fails, both routers of the group are in fault, and keepalived is master.

    Its two are in a group as well. When the link is back, ours is master of both.
    """
    require("ip", "nsenter")
    workdir.chmod(0o755)
    with Lab(two_segments(), workdir) as lab:
        sides = {"lan": ("eth1", "10.0.0.254/24", 51), "wan": ("eth2", "10.1.0.254/24", 52)}
        group = "vrrp_sync_group office {\n group {\n lan\n wan\n }\n}\n"
        instances = [
            instance(name, address, interface=interface, vrid=vrid)
            for name, (interface, address, vrid) in sides.items()
        ]
        theirs = Keepalived(lab.node(THEIRS), group, *instances).start()
        box = Appliance(lab.node(OURS), workdir)
        box.write(
            "".join(
                virtual_router(
                    name,
                    interface=interface,
                    vrid=vrid,
                    priority=HIGH,
                    addresses=[address],
                    syncGroup="office",
                )
                for name, (interface, address, vrid) in sides.items()
            )
        )
        box.start("--http", "off")

        def both(ours: str, other: str) -> bool:
            found = (box.ask("status", status=None) or {}).get("virtualRouters", [])
            assert [router["state"] for router in found] == [ours, ours]
            assert [theirs.states(name)[-1] for name in sides] == [other, other]
            return True

        poll(lambda: both("master", "BACKUP"), 20)
        for failed in ("eth2", "eth1"):
            lab.node(OURS).link_down(failed)
            poll(lambda: both("fault", "MASTER"), 20)
            lab.node(OURS).link_up(failed)
            poll(lambda: both("master", "BACKUP"), 20)


def test_notify_gets_keepaliveds_arguments(workdir: Path) -> None:
    """The command gets INSTANCE, name, state and priority at each change, the stop included."""
    with Routers(workdir) as scene:
        told, script = workdir / "told", workdir / "notify"
        script.write_text(NOTIFY.format(path=told), encoding="ascii")
        script.chmod(0o755)
        scene.run(virtual_router(priority=HIGH, notify=[str(script), "own"]))
        scene.wait_state("master")
        scene.node(OURS).link_down("eth1")
        scene.wait_state("fault")
        scene.node(OURS).link_up("eth1")
        scene.wait_state("master")
        assert scene.boxes[OURS].stop() == 0

        states = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"]
        wanted = [f"own INSTANCE gateway {state} {HIGH}" for state in states]
        assert told.read_text("ascii").splitlines() == wanted
