"""Measures the performance of DESIGN 15 on this machine: `python -m tests.bench [NAMES]`.

Nothing is asserted: the tables are for docs/performance.md and for comparing two versions.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.change import change, change_among_many
from tests.bench.cold import cold
from tests.bench.idle import idle
from tests.bench.memory import memory
from tests.bench.plans import plans
from tests.bench.reading import reading
from tests.bench.start import start
from tests.bench.table import Table, machine

BENCHES: dict[str, Callable[[Path], Table]] = {
    "start": start,
    "plans": plans,
    "reading": reading,
    "change": change,
    "change-10k": change_among_many,
    "cold": cold,
    "memory": memory,
    "idle": idle,
}

ALONE = {"start", "plans", "reading"}
"""Benches that need no router."""
BGPD = "/usr/lib/frr/bgpd"


def main() -> int:
    """Run the benches that were named, or all of them."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
        return 2
    if not set(names) <= ALONE and not Path(BGPD).exists():
        print(
            f"{BGPD} is missing: apt-get install frr (or name one of: {', '.join(sorted(ALONE))})"
        )
        return 3
    print(machine())
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            print(f"\n{BENCHES[name](Path(directory))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
