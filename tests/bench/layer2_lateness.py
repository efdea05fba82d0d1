"""How regular hellos and adverts are, at rest and with two programs that take all processors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from orchestrator.lab.segment import SWITCH
from tests.bench.layer2_contenders import Contender, Keepaliveds, Shared
from tests.bench.layer2_witness import Witness
from tests.bench.table import Table, quantile
from tests.lab.layer2_scene import CLIENT

PERIOD_S = 20.0
HOGS = 2
BUCKET = re.compile(r'_timer_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)')


class Unprivileged(Shared):
    """Shared VIPs without the right to run first."""

    label = "shared VIPs without SCHED_RR"
    prefix = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice")


class RealTime(Keepaliveds):
    """keepalived in its real-time scheduling."""

    label = "keepalived with vrrp_rt_priority 50"
    head = "global_defs {\n    vrrp_rt_priority 50\n}\n"


KINDS: tuple[type[Contender], ...] = (Shared, Unprivileged, RealTime, Keepaliveds)


def lateness(workdir: Path) -> Table:
    """Measure at the client, and ask ours how late its timers were by its own account."""
    table = Table(
        f"Time between two hellos or adverts of an owner at 100 ms over {PERIOD_S:.0f} s, ms",
        (
            "contender",
            "load",
            "min",
            "median",
            "p99",
            "max",
            "own account of lateness: p50, p99, max up to",
        ),
    )
    for kind in KINDS:
        with kind(workdir / kind.__name__) as scene, Witness(scene.node(CLIENT)) as witness:
            scene.begin()
            time.sleep(2)
            for load in (0, HOGS):
                with hogs(scene, load):
                    table.add(kind.label, f"{load} hogs", *_measured(scene, witness))
    return table


def _measured(scene: Contender, witness: Witness) -> tuple[object, ...]:
    owner = scene.rest()
    before = _buckets(scene, owner)
    witness.clear()
    time.sleep(PERIOD_S)
    mac = scene.macs[owner]
    words = [one.at for one in witness.adverts() if one.mac == mac and not one.claims]
    after = _buckets(scene, owner)
    gaps = [1000 * (late - early) for early, late in pairwise(words)]
    own = _bounds({bound: after[bound] - before[bound] for bound in after})
    return min(gaps), quantile(gaps, 0.5), quantile(gaps, 0.99), max(gaps), own


def _buckets(scene: Contender, owner: str) -> dict[str, float]:
    """Cumulative counts by upper bound; none for keepalived."""
    if not isinstance(scene, Shared):
        return {}
    return {bound: float(count) for bound, count in BUCKET.findall(scene.metrics(owner))}


def _bounds(buckets: dict[str, float]) -> str:
    """Upper bounds of the buckets that hold the median, the 99th percentile and the maximum."""
    if not buckets:
        return ""
    total = max(buckets.values())
    found = (
        next(bound for bound, count in buckets.items() if count >= share * total)
        for share in (0.5, 0.99, 1)
    )
    return ", ".join(f"{1000 * float(bound):g}" for bound in found)


@contextmanager
def hogs(scene: Contender, count: int, under: Sequence[str] = ()) -> Iterator[None]:
    """Run programs that never rest, outside of the nodes; `under` is what starts them."""
    endless = [*under, "sh", "-c", "while :; do :; done"]
    running = [scene.node(SWITCH).spawn(endless) for _ in range(count)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()
