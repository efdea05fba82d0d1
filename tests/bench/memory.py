"""Memory of every process of an appliance, empty and with 10,000 routes."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import objects
from tests.bench.place import Place
from tests.bench.processes import resident_mib
from tests.bench.table import Table

ROUTES = 10_000
SETTLING_S = 5.0


def memory(workdir: Path) -> Table:
    """Measure resident memory some seconds after all routes are in the router."""
    empty, full = _sizes(workdir / "empty", 0), _sizes(workdir / "full", ROUTES)
    table = Table("Memory, MiB", ("process", "empty RSS", f"{ROUTES} routes RSS", "of it private"))
    for name in full:
        table.add(name, empty[name][0], *full[name])
    totals = (sum(row[part] for row in full.values()) for part in (0, 1))
    table.add("all", sum(row[0] for row in empty.values()), *totals)
    return table


def _sizes(workdir: Path, routes: int) -> dict[str, tuple[float, float]]:
    workdir.mkdir()
    with Place(workdir) as place:
        objects.write_services(place.box.files, routes)
        place.start(expected=routes)
        time.sleep(SETTLING_S)
        return {name: resident_mib(pid) for name, pid in place.processes().items()}
