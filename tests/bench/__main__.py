"""Measures the performance of DESIGN 15 on this machine: `python -m tests.bench [NAMES]`.

Nothing is asserted: the tables are for docs/performance.md and for comparing two versions.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.change import change, change_among_many
from tests.bench.cold import cold
from tests.bench.idle import idle
from tests.bench.kube_bulk import bulk, bulk_many
from tests.bench.kube_drain import drain
from tests.bench.kube_one import one
from tests.bench.kube_storm import storm
from tests.bench.kube_watchers import watchers
from tests.bench.layer2_arp import arp
from tests.bench.layer2_cpu import cpu
from tests.bench.layer2_cuts import cuts, loss
from tests.bench.layer2_heal import heal
from tests.bench.layer2_lateness import lateness
from tests.bench.layer2_memory import memory as layer2_memory
from tests.bench.layer2_outage import outage, outage_slow
from tests.bench.layer2_takeover import takeover
from tests.bench.memory import memory
from tests.bench.plans import plans
from tests.bench.reading import reading
from tests.bench.start import start
from tests.bench.table import Table, machine
from tests.lab.polling import PACKAGES

BENCHES: dict[str, Callable[[Path], Table]] = {
    "start": start,
    "plans": plans,
    "reading": reading,
    "change": change,
    "change-10k": change_among_many,
    "cold": cold,
    "memory": memory,
    "idle": idle,
    "kube-one": one,
    "kube-1k": bulk,
    "kube-5k": bulk_many,
    "kube-storm": storm,
    "kube-watchers": watchers,
    "kube-drain": drain,
    "layer2-outage": outage,
    "layer2-outage-1s": outage_slow,
    "layer2-cuts": cuts,
    "layer2-loss": loss,
    "layer2-heal": heal,
    "layer2-takeover": takeover,
    "layer2-cpu": cpu,
    "layer2-lateness": lateness,
    "layer2-arp": arp,
    "layer2-memory": layer2_memory,
}

ALONE = {"start", "plans", "reading"}
"""Benches that need no other program."""
BGPD = "/usr/lib/frr/bgpd"


def needed(names: list[str]) -> set[str]:
    """Return the programs that these benches need."""
    layer2 = {name for name in names if name.startswith("layer2-")}
    cluster = (
        {"etcd", "openssl", "iptables"}
        if any(name.startswith("kube-") for name in names)
        else set()
    )
    routers = {BGPD} if set(names) - ALONE - layer2 else set()
    return routers | cluster | ({"keepalived", "nft", "setpriv"} if layer2 else set())


def main() -> int:
    """Run the benches that were named, or all of them."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
        return 2
    if missing := [program for program in needed(names) if shutil.which(program) is None]:
        packages = " ".join(sorted(PACKAGES.get(program, "util-linux") for program in missing))
        print(f"missing {', '.join(missing)}: apt-get install {packages}")
        print(f"without further programs run: {', '.join(sorted(ALONE))}")
        return 3
    print(machine())
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            print(f"\n{BENCHES[name](Path(directory))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
