"""One Service in a real cluster: from its making to its address, and to the router; and its end."""

from __future__ import annotations

import random
import time
from pathlib import Path

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import NODES
from tests.bench.kube_place import Place, names
from tests.bench.router import now
from tests.bench.table import SPREAD, Table, spread

TRIALS = 100
MANY = 5_000
SEED = 7

Trial = tuple[float, float, float, float]
"""Milliseconds to the address, to the first UPDATE and to that of every node, to the first withdraw."""
WHAT = ("address in status", "first UPDATE at FRR", "UPDATEs of all nodes", "first withdraw")


def trial(place: Place, name: str) -> Trial:
    """Make a Service whose endpoint is there, and delete it."""
    began = now()
    place.requests.make(objects.service(name))
    place.watched.wait(lambda: name in place.watched.addresses, 60)
    address = place.watched.addresses[name]
    come = place.arrivals.of(address, began, len(NODES))
    time.sleep(0.2)
    ended = now()
    place.requests.send("DELETE", objects.path("Service", name))
    gone = place.arrivals.of(address, ended, len(NODES))
    moments = (place.watched.at[name] - began, come[0] - began, come[-1] - began, gone[0] - ended)
    first, second, third, last = (1000 * moment for moment in moments)
    return first, second, third, last


def trials(place: Place, prefix: str, count: int) -> list[Trial]:
    """Make trials at random moments, one after another."""
    draw = random.Random(SEED)  # noqa: S311 - not for secrets
    found = []
    place.slices(names(prefix, count))
    for name in names(prefix, count):
        time.sleep(draw.uniform(0.2, 0.6))
        found.append(trial(place, name))
    return found


def add(table: Table, when: str, found: list[Trial]) -> None:
    """Add what was measured to a table."""
    for what, values in zip(WHAT, zip(*found, strict=True), strict=True):
        table.add(when, what, *spread(values))


def one(workdir: Path) -> Table:
    """Measure with nothing else, beside many Services, and just after these were deleted."""
    table = Table(f"One Service in a cluster, ms ({TRIALS} trials)", ("beside", "until", *SPREAD))
    with Place(workdir) as place:
        trials(place, "warm", 5)
        add(table, "nothing", trials(place, "one", TRIALS))
        many = names("many", MANY)
        place.slices(many)
        place.services(many)
        place.addressed(MANY)
        place.routed(MANY)
        place.settled()
        add(table, f"{MANY} Services", trials(place, "beside", TRIALS))
        place.slices(["after"])
        place.remove(many)
        add(table, f"just after {MANY} were deleted (1 trial)", [trial(place, "after")])
    return table
