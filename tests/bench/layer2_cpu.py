"""CPU that layer 2 takes while nothing happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_lateness import hogs
from tests.bench.processes import cpu_s, speaking, tree
from tests.bench.table import Table

PERIOD_S = 20.0
SETTLING_S = 5.0
MANY = 255
MEMBERS = tuple(f"n{number}" for number in range(1, 11))
PAIR = MEMBERS[:2]
YIELDING = ("chrt", "--idle", "0")


class ManyRouters(Routers):
    """Each VRID of ours once."""

    count = MANY


class ManyKeepaliveds(Keepaliveds):
    """Each VRID of keepalived's once."""

    count = MANY


Start = Callable[[Path], Contender]
CASES: dict[str, Start] = {
    "1 shared VIP, 3 members, 100 ms": lambda path: Shared(path, names=MEMBERS[:3]),
    "1 shared VIP, 10 members, 100 ms": lambda path: Shared(path, names=MEMBERS),
    "1 VirtualRouter, 100 ms": lambda path: Routers(path, names=PAIR),
    "keepalived, 1 virtual router, 100 ms": lambda path: Keepaliveds(path, names=PAIR),
    "255 VirtualRouters, 1 s": lambda path: ManyRouters(path, 1000, names=PAIR),
    "keepalived, 255 virtual routers, 1 s": lambda path: ManyKeepaliveds(path, 1000, names=PAIR),
    "255 VirtualRouters, 100 ms": lambda path: ManyRouters(path, 100, names=PAIR),
    "keepalived, 255 virtual routers, 100 ms": lambda path: ManyKeepaliveds(path, 100, names=PAIR),
}


def cpu(workdir: Path) -> Table:
    """Measure user and system time of a node's processes, also on processors that never rest.

    A processor that has to be woken for each hello takes longer for it; what yields to everybody
    keeps it awake.
    """
    table = Table(
        f"CPU over {PERIOD_S:.0f} s while nothing happens, % of a core: all (the one that speaks)",
        ("case", "owner or master", "another", "owner, kept awake", "another, kept awake"),
    )
    for number, (name, start) in enumerate(CASES.items()):
        with start(workdir / str(number)) as scene:
            scene.begin()
            time.sleep(SETTLING_S)
            at_rest = _shares(scene)
            with hogs(scene, os.cpu_count() or 1, YIELDING):
                table.add(name, *at_rest, *_shares(scene))
    return table


def _shares(scene: Contender) -> list[str]:
    owner, *others = sorted(scene.names, key=lambda name: name != scene.rest())
    tops = [scene.top(name).pid for name in (owner, others[0])]
    groups = [group for top in tops for group in (tree(top), [speaking(top)])]
    before = [sum(map(cpu_s, group)) for group in groups]
    time.sleep(PERIOD_S)
    after = [sum(map(cpu_s, group)) for group in groups]
    spent = [(late - early) / PERIOD_S * 100 for early, late in zip(before, after, strict=True)]
    return [f"{whole:.2g} ({one:.2g})" for whole, one in (spent[:2], spent[2:])]
