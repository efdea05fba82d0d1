"""What a drain costs a client: new connections, and those that are open, through the node and others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from tests.bench.table import Table
from tests.lab.kubernetes.drained import Drained, on_segment, routed
from tests.lab.kubernetes.scene import Scene

ROUNDS = 10
WAYS: dict[str, Callable[[Scene, int], Drained]] = {
    "BGP, the kernel's plain hashing": partial(routed, resilient=False, to_the_end=False),
    "BGP, resilient hashing": partial(routed, resilient=True, to_the_end=False),
    "layer 2": on_segment,
}


def drain(directory: Path) -> Table:
    """Drain one of three nodes, over and over, each way."""
    columns = (
        "way",
        "new",
        "failed",
        "not by the first packet",
        "cut while open",
        "kept through the node: broke",
    )
    title = f"A node drained, {ROUNDS} times, a new connection every 5 ms and 60 kept"
    table = Table(title, (*columns, "kept through others: broke"))
    numbers = itertools.count(1)
    with Cluster(directory) as cluster:
        cluster.start()
        for one in objects.peers():
            cluster.apply(one)
        cluster.wait("six sessions", lambda: len(cluster.router.established()) == 6)
        for way, play in WAYS.items():
            found = [_once(cluster, play, next(numbers)) for _ in range(ROUNDS)]
            table.add(way, *_row(found))
    return table


def _once(cluster: Cluster, play: Callable[[Scene, int], Drained], number: int) -> Drained:
    scene = Scene(cluster)
    scene.set_up()
    try:
        return play(scene, number)
    finally:
        scene.sweep()


def _row(rounds: list[Drained]) -> tuple[object, ...]:
    seen = [one.seen for one in rounds]
    return (
        sum(one.sent for one in seen),
        sum(len(one.failed) for one in seen),
        sum(len(one.again) for one in seen),
        sum(len(one.cut) for one in seen),
        _share([one.through_it for one in rounds]),
        _share([one.through_others for one in rounds]),
    )


def _share(pairs: list[tuple[int, int]]) -> str:
    broken, held = (sum(column) for column in zip(*pairs, strict=True))
    return f"{broken} of {held}" + (f", {100 * broken / held:.0f} %" if held else "")
