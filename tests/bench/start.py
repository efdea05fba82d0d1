"""How long a command takes to start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import objects
from tests.bench.table import SPREAD, Table, spread

RUNS = 25


def start(workdir: Path) -> Table:
    """Measure `orchestrator check` on a small file beside a Python that does nothing."""
    file = workdir / "small.yaml"
    file.write_text(objects.BASE + "---" + objects.vip("web", "198.51.100.1"), encoding="utf-8")
    table = Table("Start of a command, s", ("command", *SPREAD))
    check = [sys.executable, "-m", "orchestrator", "check", "-f", str(file)]
    table.add("orchestrator check", *_times(check))
    table.add("python -c pass", *_times([sys.executable, "-c", "pass"]))
    return table


def _times(argv: Sequence[str]) -> tuple[float, float, float, float]:
    times = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return spread(times[1:])
