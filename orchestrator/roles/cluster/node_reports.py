"""What a speaker tells of its node as objects of the cluster, for people and for `explain` (DESIGN 9)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from orchestrator import __version__
from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.adapters.kube.writer import Writer
from orchestrator.kube import speaker_state
from orchestrator.kube.announced_status import NODE_LABEL, bgp_writes, l2_writes
from orchestrator.kube.configuration_state import speaker_name
from orchestrator.kube.outbox import Rank
from orchestrator.kube.renewal import Renewal
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    CONFIGURATION_STATES,
    SERVICE_BGP_STATUSES,
    SERVICE_L2_STATUSES,
    SPEAKER_STATES,
)
from orchestrator.kube.speaker_state import Member, Session, SpeakerReport, Unflushed
from orchestrator.kube.writes import Write
from orchestrator.model.address import Family, family_of
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.layer2_report import Layer2Report
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan, Protocol
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.session_state import RouteStatus
from orchestrator.planner.elected import owned
from orchestrator.planner.segment_problems import troubles
from orchestrator.roles.cluster.configuration_report import ConfigurationReport
from orchestrator.roles.cluster.observed import Observed
from orchestrator.settings import Settings

BETWEEN_S = 2.0
"""What changes more often is told once in this time."""


def read_by_node(node: str, namespace: str) -> tuple[Resource, ...]:
    """Return the objects that tell of `node`, and no others."""
    of_node = f"{NODE_LABEL}={node}"
    return (
        replace(SERVICE_L2_STATUSES, namespace=namespace, label_selector=of_node),
        replace(SERVICE_BGP_STATUSES, namespace=namespace, label_selector=of_node),
        replace(
            CONFIGURATION_STATES,
            namespace=namespace,
            field_selector=f"metadata.name={speaker_name(node)}",
        ),
        replace(SPEAKER_STATES, namespace=namespace, field_selector=f"metadata.name={node}"),
    )


class NodeReports:
    """Keeps this node's objects equal to what is so. `look` gives what is so now.

    Before all of them were seen once nothing is written.
    """

    def __init__(
        self,
        access: Access,
        settings: Settings,
        look: Callable[[], tuple[Plan | None, Live, tuple[Problem, ...], bool]],
    ) -> None:
        """`look` returns plan, what is live, problems, and whether ServiceBGPStatuses are wanted."""
        self._settings = settings
        self._node, self._namespace = node, namespace = settings.node, settings.namespace
        self._look = look
        self._dirty = asyncio.Event()
        self._renewal = Renewal(random.uniform)
        self._observed = Observed(self.mark)
        resources = read_by_node(node, namespace)
        self._reflections = Reflections(access, resources, self._observed.take, lambda: None)
        self._writer = Writer(access, lambda: True, lambda *_: None)
        name = speaker_name(node)
        self._configuration = ConfigurationReport(namespace, name, self._observed)
        self._moments: dict[float, str] = {}
        self._former: dict[float, str] = {}
        """Times of day of the moments that are told, now and the last time."""

    def mark(self) -> None:
        """Take it that something may have changed."""
        self._dirty.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reflections.run())
            group.create_task(self._writer.run())
            while True:
                await self._due()
                if not self._reflections.unsynced:
                    for write in self._writes():
                        self._writer.put(write, Rank.REPORT)
                await asyncio.sleep(BETWEEN_S)

    async def _due(self) -> None:
        """Wait until something may have changed, or it is to be said again that this speaker lives."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._renewal.wait_s(clock.monotonic())):
                await self._dirty.wait()
        self._dirty.clear()

    def _writes(self) -> Iterator[Write]:
        plan, live, problems, per_service = self._look()
        if plan is not None or any(one.severity is Severity.ERROR for one in problems):
            yield from self._configuration.writes(problems)
        if plan is None:
            return  # what is known so far says nothing of what is not
        yield from self._speaker(plan, live)
        here = list(self._observed)
        node, namespace = self._node, self._namespace
        yield from l2_writes(node, namespace, self._answered(plan, live), here)
        peers = self._peers(plan) if per_service else {}
        yield from bgp_writes(node, namespace, peers, here)

    def _speaker(self, plan: Plan, live: Live) -> list[Write]:
        report = live.layer2 or Layer2Report()
        self._former, self._moments = self._moments, {}
        told = SpeakerReport(
            self._node,
            __version__,
            sessions=tuple(self._sessions(plan, live)),
            unflushed=tuple(self._unflushed(plan, live)),
            owned=owned(report, self._node),
            members=tuple(self._members(report)),
            troubles=tuple(troubles(report, self._node)),
            lb_class=self._settings.lb_class,
            ignore_exclude_label=self._settings.ignore_exclude_lb,
        )
        return self._renewed(told)

    def _renewed(self, told: SpeakerReport) -> list[Write]:
        """Return what makes the object say this, or at least that it is told again."""
        known = self._observed.get(SPEAKER_STATES.kind, self._namespace, self._node)
        now, at = clock.monotonic(), clock.wall_seconds()
        due = not self._renewal.wait_s(now)
        writes = speaker_state.write(self._namespace, told, known, at, renew=due)
        if writes:
            self._renewal.told(now)
        return writes

    def _sessions(self, plan: Plan, live: Live) -> Iterator[Session]:
        for session in plan.sessions:
            state = live.sessions.get(session.peer.name)
            if state is not None:
                rib = plan.ribs.get(self._node, {}).get(session.peer.name, {})
                six = sum(family_of(prefix) is Family.IPV6 for prefix in rib)
                yield Session(session.peer, state, self._wall(state.since), six)

    def _unflushed(self, plan: Plan, live: Live) -> Iterator[Unflushed]:
        for peer, rib in plan.ribs.get(self._node, {}).items():
            state = live.sessions.get(peer)
            if state is not None and state.flushed == state.desired == len(rib):
                continue  # the usual case: of thousands of routes none is looked at
            for prefix in rib:
                status = live.route_status(peer, prefix)
                if status is not RouteStatus.FLUSHED:
                    yield Unflushed(peer, prefix, status)

    def _members(self, report: Layer2Report) -> Iterator[Member]:
        for segment in report.segments:
            for member in segment.members:
                heard = "" if member.alive else self._wall(member.heard_at)
                yield Member(segment.interface, member, heard)

    def _wall(self, moment: float) -> str:
        """Return the time of day of a moment, the same each time."""
        known = self._former.get(moment) or clock.wall_of(moment)
        return self._moments.setdefault(moment, known)

    def _answered(self, plan: Plan, live: Live) -> dict[ServiceKey, set[str]]:
        """Return the interfaces on which this node answers for each Service."""
        found: defaultdict[ServiceKey, set[str]] = defaultdict(set)
        owners = live.layer2.owners if live.layer2 is not None else {}
        for verdict in plan.verdicts:
            if verdict.protocol is Protocol.LAYER2 and verdict.address is not None:
                for one in owners.get(verdict.address, ()):
                    if one.owner == self._node:
                        found[verdict.service].add(one.interface)
        return found

    def _peers(self, plan: Plan) -> dict[ServiceKey, set[str]]:
        """Return the peers that each Service is announced to."""
        found: defaultdict[ServiceKey, set[str]] = defaultdict(set)
        for peer, rib in plan.ribs.get(self._node, {}).items():
            for route in rib.values():
                for name in route.services:
                    namespace, _, service = name.partition("/")
                    found[ServiceKey(namespace, service)].add(peer)
        return found
