"""How long a plan takes: from scratch, with one change, with none."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from orchestrator.model.address import AddressRange, Family
from orchestrator.model.cluster import Cluster, Endpoint, Node, Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.policy import BGPAdvertisement, L2Advertisement, Peer, Policy, Pool
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.planner import Planner, plan
from tests.bench.table import SPREAD, Table, spread

SIZES = (1_000, 5_000, 10_000, 20_000)
NODES = 100
POOLS = 100
ADVERTISEMENTS = 20
RUNS = 15
FIRST = int(ip_address("198.18.0.0"))
SHARE = 2**17 // POOLS
"""Addresses of one pool: all pools together have 198.18.0.0/15."""


def _pool(number: int) -> Pool:
    first = FIRST + number * SHARE
    addresses = AddressRange(IPv4Address(first), IPv4Address(first + SHARE - 1), 32)
    return Pool(f"p{number:03}", (addresses,), labels={"part": f"a{number % ADVERTISEMENTS}"})


def _part(number: int) -> tuple[Selector, ...]:
    """Choose the pools of one advertisement."""
    return (Selector((Requirement("part", Operator.IN, frozenset({f"a{number}"})),)),)


POLICY = Policy(
    tuple(_pool(number) for number in range(POOLS)),
    tuple(
        BGPAdvertisement(f"a{number:02}", pool_selectors=_part(number))
        for number in range(ADVERTISEMENTS)
    ),
    (Peer("r", 64500, 64500, ip_address("10.0.0.1")),),
)
ON_LAYER2 = replace(
    POLICY,
    bgp_advertisements=(),
    l2_advertisements=tuple(
        L2Advertisement(f"a{number:02}", pool_selectors=_part(number))
        for number in range(ADVERTISEMENTS)
    ),
)


def plans(_workdir: Path) -> Table:
    """Measure one node's view of Services in a cluster of many nodes."""
    title = f"Plan of one node among {NODES}, {POOLS} pools, {ADVERTISEMENTS} advertisements, ms"
    table = Table(title, ("services", "protocol", "what", *SPREAD))
    for size in SIZES:
        for protocol, policy in (("bgp", POLICY), ("layer2", ON_LAYER2)):
            for what, times in _rows(world(size), policy).items():
                table.add(size, protocol, what, *spread(times))
    return table


def _rows(cluster: Cluster, policy: Policy) -> dict[str, list[float]]:
    local, planner = Local("n001"), Planner()
    planner.plan(cluster, policy, local)
    changed = [_without_one(cluster, number) for number in range(RUNS)]
    unassigned = replace(
        cluster, services={k: replace(s, ingress=()) for k, s in cluster.services.items()}
    )
    return {
        "from scratch": _times(lambda _: plan(cluster, policy, local)),
        "from scratch, all new": _times(lambda _: plan(unassigned, policy, local)),
        "one endpoint changed": _times(lambda run: planner.plan(changed[run], policy, local)),
        "nothing changed": _times(lambda _: planner.plan(replace(changed[-1]), policy, local)),
    }


def world(size: int) -> Cluster:
    """Make Services that have their addresses, each with one endpoint on some node."""
    names = [f"n{number:03}" for number in range(NODES)]
    services = {
        key: Service(
            key,
            families=(Family.IPV4,),
            ingress=(IPv4Address(FIRST + number % POOLS * SHARE + number // POOLS),),
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
    """Time some runs in ms, without collecting garbage meanwhile, as the speaker plans."""
    gc.collect()
    gc.freeze()
    times = []
    for run in range(RUNS):
        gc.disable()
        begun = time.perf_counter()
        work(run)
        times.append((time.perf_counter() - begun) * 1e3)
        gc.enable()
    gc.unfreeze()
    return times
