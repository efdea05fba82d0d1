"""CPU that a node takes while nothing happens."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import objects
from tests.bench.place import Place
from tests.bench.processes import cpu_s
from tests.bench.table import Table

PERIOD_S = 30.0
ROUTES = 10_000
SETTLING_S = 10.0
CHECK = ', check: {exec: {command: ["/bin/true"]}, intervalMs: 2000}'


def idle(workdir: Path) -> Table:
    """Measure user and system time of all processes over a while."""
    table = Table(
        f"Idle CPU over {PERIOD_S:.0f} s, % of a core",
        ("process", "1 VIP, a check every 2 s", f"{ROUTES} routes"),
    )
    small, large = _shares(workdir / "small", 0), _shares(workdir / "large", ROUTES)
    for name in small:
        table.add(name, small[name], large[name])
    table.add("all", sum(small.values()), sum(large.values()))
    return table


def _shares(workdir: Path, routes: int) -> dict[str, float]:
    workdir.mkdir()
    with Place(workdir) as place:
        objects.write_services(place.box.files, routes)
        place.box.write(objects.vip("web", "198.51.100.1", CHECK), "vip.yaml")
        place.start(expected=routes + 1)
        time.sleep(SETTLING_S)
        processes = place.processes()
        before = {name: cpu_s(pid) for name, pid in processes.items()}
        time.sleep(PERIOD_S)
        return {
            name: (cpu_s(pid) - before[name]) / PERIOD_S * 100 for name, pid in processes.items()
        }
