"""Memory of the processes of layer 2, with one address and with 1,000."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_takeover import ADDRESSES, MANY
from tests.bench.processes import resident_mib, speaking, tree
from tests.bench.table import Table

SETTLING_S = 5.0
KINDS: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)


def memory(workdir: Path) -> Table:
    """Measure resident memory of the process that speaks, and of all, on a node that owns all."""
    table = Table(
        f"Memory with 1 address and with {MANY}, MiB resident",
        ("contender", "layer2, 1", f"layer2, {MANY}", "all processes, 1", f"all, {MANY}"),
    )
    for kind in KINDS:
        few = _sizes(kind, workdir / f"few-{kind.__name__}", ADDRESSES[:1])
        many = _sizes(kind, workdir / f"many-{kind.__name__}", ADDRESSES)
        table.add(kind.label, few[0], many[0], few[1], many[1])
    return table


def _sizes(kind: type[Contender], workdir: Path, addresses: tuple[str, ...]) -> tuple[float, float]:
    with kind(workdir, names=("n1", "n2"), addresses=addresses) as scene:
        scene.begin()
        time.sleep(SETTLING_S)
        top = scene.top("n1").pid
        return (
            resident_mib(speaking(top))[0],
            sum(resident_mib(pid)[0] for pid in tree(top)),
        )
