"""A virtual router of ours and keepalived are one: each takes over from the other, in both directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab.keepalived import Keepalived, instance
from tests.lab.layer2_scene import wait_answered
from tests.lab.polling import poll, steady
from tests.lab.router_scene import (
    ADDRESS,
    ADDRESS6,
    LINK_LOCAL6,
    OURS,
    THEIRS,
    Routers,
    virtual_router,
)

pytestmark = pytest.mark.lab

HIGH, LOW = 150, 100


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to speak VRRP, in our words and in keepalived's."""

    ours: Mapping[str, Any] = field(default_factory=dict)
    lines: str = ""
    addresses: tuple[str, ...] = (f"{ADDRESS}/24",)
    asked: str = ADDRESS
    version: int = 3
    interval_s: float = 0.1


KINDS = {
    "v2 with PASS": Kind(
        {"version": 2, "advertIntervalMs": 1000, "authentication": {"password": "s3cret"}},
        "authentication {\n auth_type PASS\n auth_pass s3cret\n }",
        version=2,
        interval_s=1,
    ),
    "v3 IPv4": Kind(),
    "v3 IPv6": Kind(addresses=(f"{LINK_LOCAL6}/64", f"{ADDRESS6}/64"), asked=ADDRESS6),
    "unicast": Kind(
        {"unicastPeers": ["10.0.0.2"]},
        "unicast_src_ip 10.0.0.2\n unicast_peer {\n 10.0.0.1\n }",
    ),
}


class Pair:
    """Ours and keepalived in one virtual router, and a client that asks it."""

    def __init__(self, scene: Routers, kind: Kind) -> None:
        self.scene = scene
        self._kind = kind
        self.theirs: Keepalived
        for name in (OURS, THEIRS):
            scene.serve(name, kind.asked)
        self.client = scene.client(kind.asked, 5)

    def start_ours(self, priority: int, **fields: Any) -> None:
        """Start ours."""
        spec = {"addresses": list(self._kind.addresses), **self._kind.ours, **fields}
        self.scene.run(virtual_router(priority=priority, **spec))

    def start_theirs(self, priority: int, lines: str = "") -> None:
        """Start keepalived."""
        kind = self._kind
        text = instance(
            "gateway",
            *kind.addresses,
            priority=priority,
            interval=kind.interval_s,
            lines=f"{kind.lines}\n{lines}",
        )
        self.theirs = Keepalived(self.scene.node(THEIRS), text, version=kind.version).start()

    def wait_master(self, name: str) -> None:
        """Wait until one of them is master, the other backup, and the client sees it."""
        wait_answered(self.client, name)
        self.scene.wait_state("master" if name == OURS else "backup")
        self.theirs.wait_state("MASTER" if name == THEIRS else "BACKUP")


@contextmanager
def pair(workdir: Path, kind: Kind = KINDS["v3 IPv4"]) -> Iterator[Pair]:
    """Give two nodes and a client; nothing runs yet."""
    with Routers(workdir) as scene:
        yield Pair(scene, kind)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_each_follows_the_other_and_takes_over_when_it_stops(workdir: Path, kind: Kind) -> None:
    """Of ours and keepalived the better one is master, and the other when it stops.

    Ours preempts when it returns; a keepalived of higher priority preempts ours.
    """
    with pair(workdir, kind) as both:
        both.start_theirs(LOW)
        both.theirs.wait_state("MASTER")
        both.start_ours(HIGH)
        both.wait_master(OURS)

        assert both.scene.boxes[OURS].stop() == 0
        both.theirs.wait_state("MASTER")
        wait_answered(both.client, THEIRS)

        both.start_ours(HIGH)
        both.wait_master(OURS)

        both.theirs.stop()
        both.start_theirs(HIGH + 50)
        both.wait_master(THEIRS)

        both.theirs.stop()
        both.scene.wait_state("master")
        wait_answered(both.client, OURS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_each_takes_over_when_the_other_is_killed(workdir: Path, kind: Kind) -> None:
    """After kill -9 of the master, ours or keepalived, the other is master and the client has it."""
    with pair(workdir, kind) as both:
        both.start_ours(HIGH)
        both.start_theirs(LOW)
        both.wait_master(OURS)
        both.scene.kill()
        both.theirs.wait_state("MASTER")
        wait_answered(both.client, THEIRS)

        both.start_ours(LOW - 1)
        both.scene.wait_state("backup")
        both.theirs.kill()
        both.scene.wait_state("master")
        wait_answered(both.client, OURS)


def test_each_takes_over_when_the_link_of_the_other_fails(workdir: Path) -> None:
    """The master's link goes down: it is in fault, the other master; it comes back and preempts."""
    with pair(workdir) as both:
        both.start_theirs(LOW)
        both.start_ours(HIGH)
        both.wait_master(OURS)

        both.scene.node(OURS).link_down("eth1")
        both.scene.wait_state("fault")
        both.theirs.wait_state("MASTER")
        wait_answered(both.client, THEIRS)
        both.scene.node(OURS).link_up("eth1")
        both.wait_master(OURS)

        both.theirs.stop()
        both.start_theirs(HIGH + 50)
        both.wait_master(THEIRS)
        both.scene.node(THEIRS).link_down("eth1")
        both.scene.wait_state("master")
        wait_answered(both.client, OURS)
        both.scene.node(THEIRS).link_up("eth1")
        both.wait_master(THEIRS)


def test_nobody_preempts_who_was_told_not_to(workdir: Path) -> None:
    """With preempt off a better router of ours lets keepalived be master, and the other way round."""
    with pair(workdir) as both:
        both.start_theirs(LOW)
        both.theirs.wait_state("MASTER")
        both.start_ours(HIGH, preempt=False)
        both.scene.wait_state("backup")
        steady(lambda: both.theirs.states()[-1] == "MASTER", 2, "keepalived is master")

        both.theirs.stop()
        both.scene.wait_state("master")
        before = len(both.theirs.states())
        both.start_theirs(HIGH + 50, "nopreempt")
        poll(lambda: len(both.theirs.states()) > before, what="keepalived to be backup")
        steady(lambda: both.theirs.states()[-1] == "BACKUP", 2, "keepalived is backup")
        wait_answered(both.client, OURS)
