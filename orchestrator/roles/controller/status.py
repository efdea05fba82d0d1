"""What a controller says of itself over HTTP (CLI.md): the plan of all nodes, and whether it leads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client.registry import Collector

from orchestrator import __version__
from orchestrator.adapters import clock
from orchestrator.adapters.controller_metrics import controller_metrics
from orchestrator.config.reading import Reading
from orchestrator.kube.announcements import ANNOUNCED, Told
from orchestrator.kube.pool_status import pool_counts
from orchestrator.kube.resources import SERVICE_L2_STATUSES, SPEAKER_STATES
from orchestrator.kube.told import Clock, lives
from orchestrator.model.change import Change
from orchestrator.model.local import Local
from orchestrator.model.plan import AssignmentState, Plan
from orchestrator.model.problem import Severity
from orchestrator.planner.changes import Moment, changes
from orchestrator.planner.document import plan_document, problem_document
from orchestrator.planner.explain import explain, involved
from orchestrator.planner.plan import detail
from orchestrator.roles.cluster.observed import Observed
from orchestrator.roles.cluster.sources import ClusterSources
from orchestrator.roles.controller.leadership import Leadership
from orchestrator.roles.journal import Journal

HANG_S = 10.0
"""A planning loop that is this late is not alive."""


def _change(told: Told) -> Change:
    """Return what was told of a Service as a line of the journal."""
    event, announced = told.event, told.event.reason == ANNOUNCED
    new, reason = ("announced", "announced") if announced else ("notAnnounced", None)
    return Change("service", None, new, reason, event.message, service=str(told.service))


class ControllerStatus:
    """Answers for a controller. `due` says when the next plan is to be made, None for no need.

    `observed` has what speakers tell of their nodes.

    A replica that does not lead has no plan: who asks is told who leads.
    """

    def __init__(
        self,
        node: str,
        sources: ClusterSources,
        leadership: Leadership,
        observed: Observed,
        *,
        due: Callable[[], float | None],
        ignore_exclude_label: bool,
    ) -> None:
        self._node = node
        self._sources = sources
        self._leadership = leadership
        self._observed = observed
        self._due = due
        self._ignores = ignore_exclude_label
        self._started_at = clock.wall()
        self._journal = Journal()
        self._was_valid = True
        self.last: tuple[Plan, Reading] | None = None
        self.collectors: Sequence[Collector] = ()
        """What metrics there are besides those of documents."""

    def observe(self, plan: Plan, reading: Reading, told: Iterable[Told]) -> None:
        """Take the newest plan, and note what was told of Services."""
        self.last = plan, reading
        before, self._was_valid = self._was_valid, reading.valid
        moments = (Moment(self._node, config_valid=valid) for valid in (before, reading.valid))
        self._journal.record((*changes(*moments), *map(_change, told)))

    def forget(self) -> None:
        """Have no plan any more: another replica leads."""
        self.last = None

    def alive(self) -> bool:
        """Tell whether plans are made when they are due."""
        due = self._due()
        return due is None or clock.monotonic() - due < HANG_S

    def ready(self) -> tuple[bool, str]:
        """Tell whether all is known that is needed; a replica that waits for its turn is ready."""
        return self._sources.reading is not None, "the API server has not told of everything yet"

    def document(self, name: str) -> Any | None:
        """Return a document of CLI.md; what only a node has is empty."""
        if name == "status":
            return self._status()
        if name == "plan":
            return self._plan()
        return {"items": self._journal.latest() if name == "events" else []}

    def _plan(self) -> Any | None:
        """Return what a controller decides; who announces it is the speakers' to tell."""
        if self.last is None:
            return None
        plan, reading = self.last
        return plan_document(replace(plan, verdicts=()), reading.policy, self._sources.problems)

    def _status(self) -> dict[str, Any]:
        problems = self._sources.problems
        return {
            "node": self._node,
            "version": __version__,
            "role": "controller",
            "startedAt": self._started_at,
            "synced": self._sources.reading is not None,
            "configValid": all(one.severity is not Severity.ERROR for one in problems),
            "problems": [problem_document(problem) for problem in problems],
            "draining": False,
            "counts": self._counts(),
            "leading": self._leadership.may_write(),
            "leader": self._leadership.holder or None,
        }

    def _counts(self) -> dict[str, int]:
        plan = self.last[0] if self.last is not None else Plan()
        ours = [one for one in plan.assignments if one.state is not AssignmentState.IGNORED]
        announced = {one.address for one in plan.verdicts if one.announced}
        here = ("sessions", "sessionsUp", "routesDesired", "routesSent", "routesFlushed", "owned")
        return {
            "services": len(ours),
            "vips": len({address for one in ours for address in one.addresses}),
            "announced": len(announced),
            **dict.fromkeys(here, 0),
        }

    def explain(self, target: str) -> Any | None:
        """Explain an address or Service on every node, with what their speakers have told."""
        if self.last is None:
            return None
        plan, reading = self.last
        known, everywhere = involved(plan, target), Local(ignore_exclude_label=self._ignores)
        plan = detail(reading.cluster, reading.policy, everywhere, known)
        nodes = tuple(sorted(reading.cluster.nodes))
        speakers = self._observed.of_kind(SPEAKER_STATES.kind)
        answering = self._observed.of_kind(SERVICE_L2_STATUSES.kind)
        now = Clock(clock.monotonic_of, clock.monotonic())
        told = lives(plan, nodes, speakers, answering, now)
        explanation = explain(plan, target, nodes, told)
        return explanation.document() if explanation else None

    def metrics(self) -> bytes:
        """Return the metrics of this moment."""
        pools: Mapping[str, Mapping[str, int]] = {}
        if self.last is not None:
            plan, reading = self.last
            counts = pool_counts(reading.policy.pools, plan.assignments)
            pools = {name: one.status for name, one in counts.items()}
        return controller_metrics(self._status(), pools, self.collectors)

    def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield events as they happen."""
        return self._journal.follow()
