"""What the controller tells of the cluster as objects: pools' counts, its view, no gone nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from orchestrator.adapters import clock
from orchestrator.kube.announced_status import of_gone_nodes
from orchestrator.kube.configuration_state import CONTROLLER
from orchestrator.kube.outbox import Rank
from orchestrator.kube.pool_status import pool_counts, pool_write
from orchestrator.kube.resources import IP_ADDRESS_POOLS
from orchestrator.kube.writes import Write
from orchestrator.model.plan import Plan
from orchestrator.model.policy import Pool
from orchestrator.model.problem import Problem
from orchestrator.roles.cluster.configuration_report import ConfigurationReport
from orchestrator.roles.cluster.observed import Observed

BETWEEN_S = 1.0
"""Pools are counted, and that written, once in this time, however fast Services come (DESIGN 9)."""


class ClusterReports:
    """Compares what is there with what is so. `put` takes writes, `again` asks to be called anew."""

    def __init__(
        self,
        namespace: str,
        observed: Observed,
        put: Callable[[Write, Rank], None],
        again: Callable[[], None],
    ) -> None:
        self._namespace = namespace
        self._observed = observed
        self._put = put
        self._again = again
        self._configuration = ConfigurationReport(namespace, CONTROLLER, observed)
        self._not_before = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def write(
        self,
        plan: Plan,
        pools: Sequence[Pool],
        problems: tuple[Problem, ...],
        nodes: Collection[str],
    ) -> None:
        """Put writes for everything that is not so on the server."""
        told = self._configuration.writes(problems)
        for write in (*told, *of_gone_nodes(self._observed, nodes)):
            self._put(write, Rank.REPORT)
        self._count(plan, pools)

    def _count(self, plan: Plan, pools: Sequence[Pool]) -> None:
        now = clock.monotonic()
        if now < self._not_before:
            if self._timer is None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_at(self._not_before, self._later)
            return
        self._not_before = now + BETWEEN_S
        for name, counts in pool_counts(pools, plan.assignments).items():
            pool = self._observed.get(IP_ADDRESS_POOLS.kind, self._namespace, name)
            status = None if pool is None else pool.get("status")
            write = pool_write(self._namespace, name, counts, status)
            if write is not None:
                self._put(write, Rank.REPORT)

    def _later(self) -> None:
        self._timer = None
        self._again()
