"""The controller: gives addresses to Services, one active replica of several (DESIGN 9)."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine

from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.writer import Writer
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop
from orchestrator.adapters.state_files import make_directory
from orchestrator.kube.outbox import Outcome
from orchestrator.kube.resources import watched_by_controller
from orchestrator.model.local import Local
from orchestrator.planner import Planner
from orchestrator.roles.allocation import Allocation
from orchestrator.roles.cluster_sources import ClusterSources
from orchestrator.roles.leadership import Leadership
from orchestrator.roles.planning import Planning
from orchestrator.settings import Settings

REFUSED_AGAIN_S = 30.0
"""How long after a write was refused it is tried again, should nothing change before."""


class Controller:
    """One replica; `run` ends after TERM, when the Lease was handed over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._planning = Planning(self._plan)
        access = Access(settings.kubeconfig, settings.context)
        name = os.environ.get("POD_NAME", settings.node)
        self._leadership = Leadership(access, settings.namespace, name, self._lead)
        self._writer = Writer(access, self._leadership.may_write, self._done)
        self._allocation = Allocation(self._writer.put)
        self._sources = ClusterSources(
            access,
            watched_by_controller(settings.namespace),
            settings.namespace,
            self._planning.mark,
            allocates=True,
            listener=self._allocation.observe,
        )
        self._planner = Planner()
        self._frozen = False

    async def run(self) -> None:
        """Take the lock, work until TERM, hand over, leave."""
        make_directory(self._settings.runtime_dir)
        lock = RoleLock(self._settings.runtime_dir, "controller")
        lock.acquire()
        stop = Stop.on_signals()
        await self._sources.start()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in self._works()]
            await stop.requested()
            await self._leadership.leave()
            for task in tasks:
                task.cancel()
        lock.release()

    def _works(self) -> list[Coroutine[None, None, None]]:
        return [
            self._sources.run(),
            self._leadership.run(),
            self._writer.run(),
            self._planning.run(),
        ]

    def _lead(self) -> None:
        """Begin or cease to write: what another replica wrote meanwhile is seen in the watch."""
        self._allocation.start_over()
        self._planning.mark()

    def _plan(self) -> None:
        reading = self._sources.reading
        if reading is None or not self._leadership.may_write():
            return
        plan = self._planner.plan(reading.cluster, reading.policy, self._local())
        self._allocation.write(plan, reading.cluster.services)
        if not self._frozen:
            gc.freeze()
            self._frozen = True

    def _local(self) -> Local:
        return Local(
            held=self._allocation.held,
            lb_class=self._settings.lb_class,
            ignore_exclude_label=self._settings.ignore_exclude_lb,
        )

    def _done(self, label: str, outcome: Outcome, _body: bytes) -> None:
        if outcome is Outcome.STALE:
            self._allocation.again(label)  # when the watch tells what there is now
        elif outcome is Outcome.REFUSED:
            asyncio.get_running_loop().call_later(REFUSED_AGAIN_S, self._again, label)

    def _again(self, label: str) -> None:
        self._allocation.again(label)
        self._planning.mark()
