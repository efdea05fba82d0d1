"""What a speaker says of itself: the `StatusSource` behind its sockets, and its journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.registry import Collector

from orchestrator.adapters import clock
from orchestrator.adapters.metrics import render_metrics
from orchestrator.config.reading import Reading
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan
from orchestrator.model.problem import Problem, Severity
from orchestrator.planner.changes import Moment, changes
from orchestrator.planner.explain import explain
from orchestrator.planner.explain_router import explain_router
from orchestrator.planner.segment_problems import segment_problems
from orchestrator.roles.documents import View
from orchestrator.roles.journal import Journal
from orchestrator.roles.layer2_changes import layer2_changes
from orchestrator.roles.reconciler import Reconciler

HANG_S = 10.0
"""A planning loop that is this late is not alive."""


class Status:
    """Answers for a reconciler; `observe` after each plan notes what changed."""

    def __init__(self, reconciler: Reconciler, role: str, due: Callable[[], float | None]) -> None:
        """`due` says when the next plan is to be made, None for no need."""
        self._reconciler = reconciler
        self._role = role
        self._started_at = clock.wall()
        self._journal = Journal()
        self._moment = Moment(reconciler.settings.node)
        self._since: dict[ServiceKey, str] = {}
        self.own_problems: Mapping[str, Problem] = {}
        self.collectors: Sequence[Collector] = ()
        """What metrics there are besides those of documents."""
        self._due = due

    def observe(self) -> None:
        """Record what changed since the last time."""
        parts = self._reconciler
        moment = Moment(
            node=parts.settings.node,
            plan=parts.plan or Plan(),
            sessions=dict(parts.backend.sessions()),
            health=parts.checks.known(),
            config_valid=not self._has_errors(),
            backend_reachable=parts.backend.reachable,
            drain=parts.drain.phase,
        )
        happened = list(changes(self._moment, moment))
        self._moment = moment
        happened += layer2_changes(tuple(parts.happened), moment.node, moment.plan)
        parts.happened.clear()
        self._journal.record(happened)
        now = clock.wall()
        for name in {change.service for change in happened if change.service}:
            self._since[ServiceKey(*name.split("/", 1))] = now

    def _has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems())

    def problems(self) -> tuple[Problem, ...]:
        """Return all problems: of the files, of the backend, of this host."""
        parts = self._reconciler
        unbound = [
            Problem(Severity.ERROR, "notBound", f"address {address}", words)
            for address, words in parts.addresses.errors.items()
        ]
        unbound += [
            Problem(Severity.ERROR, "notBound", "addresses", words)
            for words in parts.addresses.problems
        ]
        own = (*self.own_problems.values(), *unbound, *self._of_segments())
        if parts.memory.error is not None:
            text = f"{parts.memory.error.message}: addresses from pools may move at a restart"
            place = parts.memory.error.place
            own = (*own, Problem(Severity.WARNING, "stateNotWritten", place, text))
        return (*parts.sources.problems, *parts.backend.problems, *own)

    def _of_segments(self) -> Iterator[Problem]:
        parts = self._reconciler
        if parts.sources.reading is None or not parts.layer2.reachable:
            return iter(())
        transport = parts.sources.reading.policy.settings.membership.transport
        return segment_problems(parts.layer2.report, parts.settings.node, transport)

    def alive(self) -> bool:
        """Tell whether plans are made when they are due."""
        due = self._due()
        return due is None or clock.monotonic() - due < HANG_S

    def ready(self) -> tuple[bool, str]:
        """Tell whether the sources were read and the backend answers."""
        if self._reconciler.plan is None:
            return False, "the sources were not read, or a first check has no answer yet"
        parts = self._reconciler
        if "layer2" in parts.needed and not parts.layer2.reachable:
            return False, "the layer2 role is not reachable"
        reachable = parts.backend.reachable or "exabgp" not in parts.needed
        return reachable, "ExaBGP is not reachable through the relay"

    def document(self, name: str) -> Any | None:
        """Return a document of CLI.md; the plan is None before the first one was made."""
        if name == "events":
            return {"items": self._journal.latest()}
        if name == "plan" and self._reconciler.plan is None:
            return None
        view = self._view()
        return {
            "status": view.status,
            "sessions": view.sessions,
            "routes": view.routes,
            "vips": view.vips,
            "layer2": view.layer2,
            "plan": view.plan_document,
        }[name]()

    def explain(self, target: str) -> Any | None:
        """Explain an address, Service or virtual router with all that is known live."""
        parts, live = self._reconciler, self.live()
        plan, node = parts.plan or Plan(), parts.settings.node
        explanation = explain(plan, target, (node,), {node: live})
        if explanation is None and live.layer2 is not None:
            explanation = explain_router(live.layer2, target, node)
        return explanation.document() if explanation else None

    def metrics(self) -> bytes:
        """Return the metrics of this moment."""
        names = ("status", "sessions", "vips", "layer2")
        return render_metrics({name: self.document(name) for name in names}, self.collectors)

    def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield events as they happen."""
        return self._journal.follow()

    def live(self) -> Live:
        """Return what this node knows beside its plan."""
        parts = self._reconciler
        backend = parts.backend
        return Live(
            backend.sessions(),
            backend.route_status,
            parts.unbound(),
            parts.checks.details(),
            parts.layer2.report if parts.layer2.reachable else None,
        )

    def _view(self) -> View:
        parts = self._reconciler
        reading = parts.sources.reading or Reading()
        return View(
            node=parts.settings.node,
            role=self._role,
            started_at=self._started_at,
            synced=parts.plan is not None,
            draining=parts.drain.since is not None,
            plan=parts.plan or Plan(),
            policy=reading.policy,
            problems=self.problems(),
            health=parts.checks.known(),
            live=self.live(),
            since=self._since,
        )
