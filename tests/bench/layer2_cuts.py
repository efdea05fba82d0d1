"""What links that are half broken cost a client: one-way cuts of the owner, and loss that lasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.lab.asking import Asking
from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_outage import RESTED_S, longest_s, rested, settled_client, shown
from tests.bench.table import Table
from tests.lab import layer2_faults as faults

ROUNDS = 10
GIVEN_UP_S = 5.0
LOSS_S = 60.0
LOSSES = (5, 10, 20, 30)
CUTS = {"nobody hears the owner": faults.dumb, "the owner hears nobody": faults.deaf}
KINDS: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)


def cuts(workdir: Path) -> Table:
    """Cut the owner one way, and see for how long the client is without an answer."""
    table = Table(
        f"Outage by a one-way cut of the owner, ms at 100 ms: median (min-max), n = {ROUNDS}",
        ("contender", "cut", "outage", f"rounds without a takeover in {GIVEN_UP_S:.0f} s"),
    )
    for kind in KINDS:
        with kind(workdir / kind.__name__) as scene:
            scene.begin()
            for name, cut in CUTS.items():
                client = settled_client(scene)
                found = [_round(scene, client, cut) for _ in range(ROUNDS)]
                client.stop()
                ended = [1000 * outage_s for outage_s in found if outage_s is not None]
                table.add(kind.label, name, shown(ended) if ended else "", found.count(None))
    return table


def _round(
    scene: Contender, client: Asking, cut: Callable[[Contender, str], Callable[[], None]]
) -> float | None:
    owner = rested(scene, client, RESTED_S)
    moment = time.monotonic()
    heal = cut(scene, owner)
    moved = _moved(client, owner, moment)
    time.sleep(RESTED_S)  # whether it lasts
    outage_s = longest_s(client, moment)
    heal()
    return outage_s if moved else None


def _moved(client: Asking, owner: str, moment: float) -> bool:
    while time.monotonic() < moment + GIVEN_UP_S:
        if {gap.after for gap in client.gaps(moment)} - {owner}:
            return True
        time.sleep(0.05)
    return False


def loss(workdir: Path) -> Table:
    """Lose frames between the nodes, but none of the client, for a minute each."""
    table = Table(
        f"Loss between three nodes for {LOSS_S:.0f} s, at 100 ms",
        ("contender", "lost, %", "moves that the client saw", "longest without an answer, ms"),
    )
    for kind in KINDS:
        with kind(workdir / kind.__name__) as scene:
            scene.begin()
            for percent in LOSSES:
                table.add(kind.label, percent, *_minute(scene, percent))
    return table


def _minute(scene: Contender, percent: int) -> tuple[int, float]:
    client = settled_client(scene)
    rested(scene, client, RESTED_S)
    moment = time.monotonic()
    heal = faults.lossy(scene, percent)
    time.sleep(LOSS_S)
    gaps = client.gaps(moment)
    heal()
    client.stop()
    moves = sum(gap.before != gap.after for gap in gaps)
    return moves, 1000 * max((gap.gap_s for gap in gaps), default=0.0)
