"""Memory of every process of an appliance, empty and with 10,000 routes."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.bench import objects
from tests.bench.place import Place
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
        return {name: _of(pid) for name, pid in place.processes().items()}


def _of(pid: int) -> tuple[float, float]:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = {name: int(size) for name, size in re.findall(r"(\w+): +(\d+) kB", text)}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return sizes["Rss"] / 1024, private / 1024
