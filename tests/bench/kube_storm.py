"""Endpoints that come and go hundreds of times a second: what it costs, and how fast it is over."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import NODES
from tests.bench.kube_place import Place, names
from tests.bench.processes import cpu_s, tree
from tests.bench.table import Table

SERVICES = 500
RATE = 500
STORM_S = 60.0
THREADS = 16
SEED = 11


def storm(workdir: Path) -> Table:
    """Let endpoints of Services with policy Local become ready and not, so that each moves a route."""
    table = Table(
        f"Endpoint storm: {RATE} changes/s wanted for {STORM_S:.0f} s, {SERVICES} Services",
        ("what", "figure"),
    )
    with Place(workdir) as place:
        many = names("many", SERVICES)
        place.slices(many)
        for name in many:
            place.requests.make(objects.service(name, externalTrafficPolicy="Local"))
        place.addressed(SERVICES)
        place.cluster.wait("routes of n1", lambda: place.routes()["n1"] == SERVICES)
        place.settled()
        before, server, told = place.costs(), _server_cpu_s(), _told(place)
        began = time.monotonic()
        blows = Blows(place, many)
        blows.run()
        took = time.monotonic() - began
        table.add("changes made", blows.made)
        table.add("changes a second", blows.made / took)
        want = sum(blows.ready.values())
        place.cluster.wait("the routes to be right", lambda: place.routes()["n1"] == want, 120)
        table.add("routes right after the last change, s", time.monotonic() - began - took)
        table.add("routes FRR was told of meanwhile", _told(place) - told)
        table.add("API server: CPU s", _server_cpu_s() - server)
        for name, (cpu, memory) in sorted(place.costs().items()):
            table.add(f"{name}: CPU s, MiB", f"{cpu - before[name][0]:.1f}, {memory:.0f}")
    return table


class Blows:
    """Changes at a steady rate, by several threads; each Service belongs to one of them."""

    def __init__(self, place: Place, services: list[str]) -> None:
        self._place = place
        self.ready = dict.fromkeys(services, True)
        self._next = 0
        self._lock = threading.Lock()
        self.made = 0

    def run(self) -> None:
        """Change until the time is over."""
        began = time.monotonic()
        shares = [list(self.ready)[number::THREADS] for number in range(THREADS)]
        threads = [
            threading.Thread(target=self._work, args=(share, began, number))
            for number, share in enumerate(shares)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, share: list[str], began: float, number: int) -> None:
        chance = random.Random(SEED + number)  # noqa: S311 - not for secrets
        while (due := self._turn(began)) < began + STORM_S:
            time.sleep(max(due - time.monotonic(), 0))
            self._change(chance.choice(share))

    def _turn(self, began: float) -> float:
        """Return when the next change is due; one that could not be made in time is left out."""
        with self._lock:
            late = int((time.monotonic() - began) * RATE) - RATE
            self._next = max(self._next + 1, late)
            return began + self._next / RATE

    def _change(self, name: str) -> None:
        ready = not self.ready[name]
        body = {"endpoints": [objects.endpoint("10.244.1.1", "n1", ready=ready)]}
        path = objects.path("EndpointSlice", f"{name}-ipv4")
        self._place.requests.send("PATCH", path, body, "merge-patch+json")
        self.ready[name] = ready
        with self._lock:
            self.made += 1


def _told(place: Place) -> int:
    place.arrivals.read()
    return sum(
        neighbor == NODES["n1"]
        for moments in place.arrivals.seen.values()
        for _, neighbor in moments
    )


def _server_cpu_s() -> float:
    return cpu_s(server_pid())


def server_pid() -> int:
    """Return the process of kube-apiserver, a child of this one."""
    for pid in tree(os.getpid()):
        if b"kube-apiserver" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
            return pid
    raise RuntimeError("there is no kube-apiserver")
