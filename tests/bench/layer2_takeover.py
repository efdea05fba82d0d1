"""How long it takes to announce 1,000 addresses of a node that died."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_outage import shown
from tests.bench.layer2_witness import Witness
from tests.bench.table import Table
from tests.lab import layer2_faults as faults
from tests.lab.layer2_scene import CLIENT
from tests.lab.polling import poll

ROUNDS = 5
MANY = 1000
ADDRESSES = tuple(f"10.1.{number // 250}.{number % 250 + 1}" for number in range(MANY))
KINDS: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)


def takeover(workdir: Path) -> Table:
    """Power the owner off; decided is when its last word is as old as it may be."""
    table = Table(
        f"Takeover of {MANY} addresses at 100 ms, ms: median (min-max), n = {ROUNDS}",
        ("contender", "decided -> first", "first -> last announced", "decided -> last"),
    )
    for kind in KINDS:
        path = workdir / kind.__name__
        with kind(path, names=("n1", "n2"), addresses=ADDRESSES) as scene:
            scene.begin()
            with Witness(scene.node(CLIENT)) as witness:
                rounds = [_round(scene, witness) for _ in range(ROUNDS)]
        table.add(kind.label, *(shown(column) for column in zip(*rounds, strict=True)))
    return table


def _round(scene: Contender, witness: Witness) -> tuple[float, float, float]:
    owner = scene.rest()
    (other,) = set(scene.names) - {owner}
    witness.clear()
    time.sleep(1)
    heal = faults.power_off(scene, owner)
    mac = scene.macs[other]
    found = poll(lambda: _all(witness, mac), 30, "all to be announced")
    word = max(one.at for one in witness.adverts() if one.mac == scene.macs[owner])
    heal()
    decided, first, last = word + scene.dead_s(other), min(found), max(found)
    return 1000 * (first - decided), 1000 * (last - first), 1000 * (last - decided)


def _all(witness: Witness, mac: str) -> list[float]:
    found = witness.announced(mac)
    return list(found.values()) if set(ADDRESSES) <= set(found) else []
