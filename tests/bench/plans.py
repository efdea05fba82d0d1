"""How long a plan takes: from scratch, with one change, with none."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from orchestrator.model.address import AddressRange, Family
from orchestrator.model.cluster import Cluster, Endpoint, Node, Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.policy import BGPAdvertisement, Peer, Policy, Pool
from orchestrator.planner import Planner, plan
from tests.bench.objects import address_of
from tests.bench.table import SPREAD, Table, spread

SIZES = (1_000, 10_000)
NODES = 100
RUNS = 15
POOL = AddressRange(ip_address("198.18.0.0"), ip_address("198.19.255.255"), 15)
POLICY = Policy(
    (Pool("edge", (POOL,)),),
    (BGPAdvertisement("all"),),
    (Peer("r", 64500, 64500, ip_address("10.0.0.1")),),
)


def plans(_workdir: Path) -> Table:
    """Measure one node's view of Services in a cluster of many nodes."""
    table = Table(f"Plan of one node among {NODES}, ms", ("services", "what", *SPREAD))
    for size in SIZES:
        for what, times in _rows(world(size)).items():
            table.add(size, what, *spread(times))
    return table


def _rows(cluster: Cluster) -> dict[str, list[float]]:
    local, planner = Local("n001"), Planner()
    planner.plan(cluster, POLICY, local)
    changed = [_without_one(cluster, number) for number in range(RUNS)]
    return {
        "from scratch": _times(lambda _: plan(cluster, POLICY, local)),
        "one endpoint changed": _times(lambda run: planner.plan(changed[run], POLICY, local)),
        "nothing changed": _times(lambda _: planner.plan(replace(changed[-1]), POLICY, local)),
    }


def world(size: int) -> Cluster:
    """Make Services that have their addresses, each with one endpoint on some node."""
    names = [f"n{number:03}" for number in range(NODES)]
    services = {
        key: Service(
            key,
            families=(Family.IPV4,),
            ingress=(ip_address(address_of(number)),),
        )
        for number in range(size)
        for key in [ServiceKey("default", f"s{number:05}")]
    }
    endpoints = {
        key: (Endpoint(names[number % NODES], usable=True),) for number, key in enumerate(services)
    }
    return Cluster(services, endpoints, {name: Node(name) for name in names})


def _without_one(cluster: Cluster, number: int) -> Cluster:
    return replace(
        cluster, endpoints={**cluster.endpoints, ServiceKey("default", f"s{number:05}"): ()}
    )


def _times(work: Callable[[int], object]) -> list[float]:
    """Time some runs in ms, in a process whose long-lived objects are frozen, as the speaker's."""
    gc.collect()
    gc.freeze()
    times = []
    for run in range(RUNS):
        begun = time.perf_counter()
        work(run)
        times.append((time.perf_counter() - begun) * 1e3)
    gc.unfreeze()
    return times
