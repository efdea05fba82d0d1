"""From the change of a file to the route in FRR's RIB, and in the router's kernel."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import objects
from tests.bench.place import Place
from tests.bench.router import now
from tests.bench.table import SPREAD, Table, spread

TRIALS = 200
SEED = 4
MANY = 10_000
"""Services beside the one that changes."""
VIP = "198.51.100.77"
OWN = 20_000
"""Number of the Service whose endpoint comes and goes."""

Change = Callable[[Place, bool], str]
"""Makes a route come or go, and returns its prefix."""


def change(workdir: Path) -> Table:
    """Measure with nothing else configured."""
    return _measure(workdir, 0)


def change_among_many(workdir: Path) -> Table:
    """Measure beside many Services that do not change."""
    return _measure(workdir, MANY)


def _measure(workdir: Path, beside: int) -> Table:
    table = Table(
        f"A changed file -> the router, ms ({TRIALS} trials each, {beside} Services beside)",
        ("change", "seen in", *SPREAD),
    )
    with Place(workdir, trace=True) as place:
        objects.write_services(place.box.files, beside)
        place.box.write(objects.service(OWN), "own.yaml")
        place.start(expected=beside)
        time.sleep(3)
        for name, make in CHANGES.items():
            come, gone = _trials(place, make)
            _add(table, f"{name} comes", come)
            _add(table, f"{name} goes", gone)
    return table


Times = list[tuple[float, float]]
"""Milliseconds to bgpd's RIB and to the kernel."""


def _trials(place: Place, make: Change) -> tuple[Times, Times]:
    found: tuple[Times, Times] = ([], [])
    for turn, pause_s in zip(range(TRIALS), _pauses(), strict=False):
        time.sleep(pause_s)
        since, begun = place.router.sizes(), now()
        prefix = make(place, turn % 2 == 0)
        seen = place.router.wait_for(prefix, since)
        found[turn % 2].append(((seen.rib - begun) * 1e3, (seen.kernel - begun) * 1e3))
    return found


def _pauses() -> Iterator[float]:
    """Let everything come to rest between two trials, and not in step with any timer."""
    chance = random.Random(SEED)  # noqa: S311
    while True:
        yield chance.uniform(0.2, 0.35)


def _add(table: Table, name: str, times: Times) -> None:
    table.add(name, "bgpd's RIB", *spread([rib for rib, _ in times]))
    table.add("", "kernel", *spread([kernel for _, kernel in times]))


def _virtual_ip(place: Place, come: bool) -> str:
    if come:
        place.box.write(objects.vip("own", VIP), "vip.yaml")
    else:
        (place.box.files / "vip.yaml").unlink()
    return f"{VIP}/32"


def _endpoint(place: Place, come: bool) -> str:
    place.box.write(objects.endpoints(OWN, ready=come), "slice.yaml")
    return f"{objects.address_of(OWN)}/32"


CHANGES: dict[str, Change] = {"VirtualIP": _virtual_ip, "endpoint": _endpoint}
