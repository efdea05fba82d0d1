"""The controller: gives addresses to Services, one active replica of several (DESIGN 9)."""

from __future__ import annotations

import asyncio
import gc
import os
import uuid
from collections.abc import Coroutine

from orchestrator.adapters import clock
from orchestrator.adapters.http_api import HttpServer
from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.adapters.kube.writer import Writer
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop
from orchestrator.adapters.state_files import make_directory
from orchestrator.kube.actions import Changed
from orchestrator.kube.announcements import Announcements
from orchestrator.kube.events import event_write, service_reference
from orchestrator.kube.outbox import Outcome, Rank
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    IP_ADDRESS_POOLS,
    SERVICE_BGP_STATUSES,
    SERVICE_L2_STATUSES,
    SPEAKER_STATES,
    watched_by_controller,
    written_by_nodes,
)
from orchestrator.model.cluster import Service
from orchestrator.model.local import Local
from orchestrator.model.plan import KubernetesEvent
from orchestrator.planner import Planner
from orchestrator.roles.cluster.observed import Observed
from orchestrator.roles.cluster.sources import ClusterSources
from orchestrator.roles.controller.allocation import Allocation
from orchestrator.roles.controller.leadership import Leadership
from orchestrator.roles.controller.member_key import MemberKey
from orchestrator.roles.controller.reports import ClusterReports
from orchestrator.roles.controller.status import ControllerStatus
from orchestrator.roles.planning import Planning
from orchestrator.settings import Settings

COMPONENT = "orchestrator-controller"
ONLY_EXIST = frozenset(
    one.kind for one in (SERVICE_L2_STATUSES, SERVICE_BGP_STATUSES, SPEAKER_STATES)
)
"""What nodes tell is shown, and deleted when they are gone; what it says changes nothing."""
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
        self._host = name
        self._writer = Writer(access, self._leadership.may_write, self._done)
        self._allocation = Allocation(self._writer.put, self._tell)
        self._member_key = MemberKey(settings.namespace, self._writer.put)
        self._announcements = Announcements()
        self._observed = Observed(self._report, ONLY_EXIST)
        self._reports = ClusterReports(
            settings.namespace, self._observed, self._writer.put, self._report
        )
        told = written_by_nodes(settings.namespace)
        self._reflections = Reflections(access, told, self._observed.take, lambda: None)
        self._sources = ClusterSources(
            access,
            watched_by_controller(settings.namespace),
            settings.namespace,
            self._planning.mark,
            allocates=True,
            listener=self._observe,
        )
        self._planner = Planner()
        self._frozen = False
        self._status = ControllerStatus(
            name,
            self._sources,
            self._leadership,
            self._observed,
            due=self._planning.due,
            ignore_exclude_label=settings.ignore_exclude_lb,
        )
        self._status.collectors = (self._planning.seconds, access.figures)
        self._http = HttpServer(self._status, {}, settings.status_socket, settings.http_address)

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
            self._http.run(),
            self._sources.run(),
            self._reflections.run(),
            self._leadership.run(),
            self._writer.run(),
            self._planning.run(),
        ]

    def _observe(self, resource: Resource, changed: Changed) -> None:
        self._allocation.observe(resource, changed)
        self._member_key.observe(resource)
        if resource.kind == IP_ADDRESS_POOLS.kind:
            self._observed.take(resource, changed)

    def _tell(self, service: Service, event: KubernetesEvent, version: str) -> None:
        """Write an Event about a Service."""
        about = service_reference(service, version)
        suffix = uuid.uuid4().hex[:16]
        write = event_write(about, event, COMPONENT, self._host, at=clock.wall(), suffix=suffix)
        self._writer.put(write, Rank.EVENT)

    def _lead(self) -> None:
        """Begin or cease to write: what another replica wrote meanwhile is seen in the watch."""
        self._allocation.start_over()
        self._member_key.again()
        self._status.forget()
        self._planning.mark()

    def _plan(self) -> None:
        reading = self._sources.reading
        if reading is None or not self._leadership.may_write():
            return
        plan = self._planner.plan(reading.cluster, reading.policy, self._local())
        services = reading.cluster.services
        self._allocation.write(plan, services)
        self._member_key.write(reading)
        told = self._announcements.observe(plan)
        for one in told:
            if one.service in services:
                version = self._allocation.version(one.service)
                self._tell(services[one.service], one.event, version)
        self._status.observe(plan, reading, told)
        self._report()
        if not self._frozen:
            gc.freeze()
            self._frozen = True

    def _report(self) -> None:
        """Tell of the last plan, as far as it is not told yet."""
        if self._status.last is None or not self._leadership.may_write():
            return
        plan, reading = self._status.last
        problems = self._sources.problems
        self._reports.write(plan, reading.policy.pools, problems, reading.cluster.nodes)

    def _local(self) -> Local:
        return Local(
            held=self._allocation.held,
            lb_class=self._settings.lb_class,
            ignore_exclude_label=self._settings.ignore_exclude_lb,
            anywhere=True,
        )

    def _done(self, label: str, outcome: Outcome, _body: bytes) -> None:
        if outcome is Outcome.STALE:
            self._allocation.again(label)  # when the watch tells what there is now
        elif outcome is Outcome.REFUSED:
            asyncio.get_running_loop().call_later(REFUSED_AGAIN_S, self._again, label)

    def _again(self, label: str) -> None:
        self._allocation.again(label)
        self._member_key.again()
        self._planning.mark()
