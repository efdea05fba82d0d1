"""For how long a client gets no answer after a fault of the owner of an address."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab.asking import Asking
from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_witness import Witness
from tests.bench.table import Table, quantile
from tests.lab import layer2_faults as faults
from tests.lab.layer2_scene import CLIENT, VIP
from tests.lab.polling import poll

ROUNDS = 10
SEED = 6
RESTED_S = 1.2
"""Linux may take a second to let a bridge's port forward after its link is up."""


class Keepalived2(Keepaliveds):
    """keepalived with version 2."""

    label = "keepalived v2"
    version = 2


def stop(scene: Contender, name: str) -> Callable[[], None]:
    """Stop the owner in an orderly way."""
    scene.end(name)
    return lambda: scene.start_again(name)


Fault = Callable[[Contender, str], Callable[[], object]]
FAULTS: dict[str, Fault] = {
    "kill -9 of all processes": faults.kill,
    "power off": faults.power_off,
    "link down": faults.link_down,
    "cable pulled": faults.cable,
    "silent switch port": faults.silent,
    "clean stop": stop,
}
QUICK: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)
SLOW: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds, Keepalived2)


@dataclass(slots=True)
class Cell:
    """What rounds of one fault showed, ms; `lost` counts questions of all rounds together.

    `returns` are the longest times without an answer while what had failed came back.
    """

    outages: list[float] = field(default_factory=list)
    announced: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    lost: int = 0


Cells = dict[str, Cell]


def outage(workdir: Path) -> Table:
    """Measure at 100 ms, one contender after another."""
    table = _table("100 ms")
    for kind in QUICK:
        _add(table, kind.label, _cells(kind, 100, workdir / kind.__name__))
    return table


def outage_slow(workdir: Path) -> Table:
    """Measure at 1 s, all contenders at once: rounds are long, and some ms more do not count."""
    table = _table("1 s")
    with ProcessPoolExecutor(len(SLOW)) as pool:
        running = {kind: pool.submit(_cells, kind, 1000, workdir / kind.__name__) for kind in SLOW}
        for kind, found in running.items():
            _add(table, kind.label, found.result())
    return table


def _table(interval: str) -> Table:
    return Table(
        f"Outage at a client that asks every 2 ms, and first gratuitous ARP of the successor, at {interval}, ms: median (min-max), n = {ROUNDS}",
        ("contender", "fault", "outage", "first gratuitous ARP", "on return", "questions lost"),
    )


def _cells(kind: type[Contender], interval_ms: int, workdir: Path) -> Cells:
    with kind(workdir, interval_ms) as scene:
        scene.begin()
        with Witness(scene.node(CLIENT)) as witness:
            return {
                name: _rounds(Bed(scene, witness), fault, clean=fault is stop)
                for name, fault in FAULTS.items()
            }


@dataclass(frozen=True, slots=True)
class Bed:
    """A contender at work, and who looks at it."""

    scene: Contender
    witness: Witness


def _rounds(bed: Bed, fault: Fault, *, clean: bool) -> Cell:
    chance = random.Random(SEED)  # noqa: S311
    pauses = (RESTED_S + chance.uniform(0, bed.scene.interval_s) for _ in range(ROUNDS))
    cell, client = Cell(), settled_client(bed.scene)
    owner = rested(bed.scene, client, RESTED_S)
    for pause_s in pauses:
        heal = _round(bed, client, owner, fault, cell)
        healed = time.monotonic()
        heal()
        owner = rested(bed.scene, client, pause_s)
        cell.returns.append(1000 * longest_s(client, healed))
    seen = client.stop()
    cell.lost = seen.sent - seen.answered if clean else 0
    return cell


def longest_s(client: Asking, since: float) -> float:
    """Return the longest time without an answer that ended after `since`."""
    return max((gap.gap_s for gap in client.gaps(since)), default=0.0)


def settled_client(scene: Contender) -> Asking:
    """Start a client when its host knows who owns the address: what is lost before is no round's."""
    early = scene.client()
    poll(lambda: early.owner() == scene.rest(), 30, "the owner to answer")
    early.stop()
    return scene.client()


def rested(scene: Contender, client: Asking, for_s: float) -> str:
    """Wait until one has owned the address and answered for so long; return it."""

    def rested() -> str:
        owner = scene.rest()
        time.sleep(for_s)
        return owner if scene.owners() == {client.owner()} == {owner} and scene.joined() else ""

    return poll(rested, 60, "one to own and answer")


def _round(bed: Bed, client: Asking, owner: str, fault: Fault, cell: Cell) -> Callable[[], object]:
    bed.witness.clear()
    moment = time.monotonic()
    heal = fault(bed.scene, owner)
    others = [mac for name, mac in bed.scene.macs.items() if name != owner]

    def first() -> float:
        found = [bed.witness.announced(mac).get(VIP) for mac in others]
        return min((at for at in found if at is not None), default=0.0)

    cell.announced.append(1000 * (poll(first, 20, "an announcement", 0.01) - moment))
    poll(lambda: {gap.after for gap in client.gaps(moment)} - {owner}, 20, "another to answer")
    time.sleep(0.1)
    cell.outages.append(1000 * longest_s(client, moment))
    return heal


def _add(table: Table, label: str, cells: Cells) -> None:
    for name, cell in cells.items():
        lost = cell.lost if name == "clean stop" else ""
        spreads = map(shown, (cell.outages, cell.announced, cell.returns))
        table.add(label, name, *spreads, lost)


def shown(values: Sequence[float]) -> str:
    """Write median (min-max) in whole numbers."""
    return f"{quantile(values, 0.5):.0f} ({min(values):.0f}-{max(values):.0f})"
