"""The JSON documents of a running speaker (CLI.md, HTTP), made from its state when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator import __version__
from orchestrator.adapters import clock
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.layer2_report import Layer2Report
from orchestrator.model.live import Live
from orchestrator.model.plan import AssignmentState, Plan, Protocol, Reason, Verdict
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.session_state import SessionState, SessionStatus
from orchestrator.model.virtual_ip import Health
from orchestrator.planner.document import (
    plan_document,
    problem_document,
    route_document,
    session_document,
    sorted_routes,
)
from orchestrator.planner.elected import owned
from orchestrator.planner.progress import Progress
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE
from orchestrator.roles.layer2_documents import (
    address_segments,
    layer2_document,
    router_documents,
    router_vips,
)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What the documents are made from."""

    node: str
    role: str
    started_at: str
    synced: bool
    draining: bool
    plan: Plan
    policy: Policy
    problems: tuple[Problem, ...]
    health: Mapping[str, Health]
    live: Live
    since: Mapping[ServiceKey, str]

    def status(self) -> Document:
        """Return `/api/v1/status`."""
        return {
            "node": self.node,
            "version": __version__,
            "role": self.role,
            "startedAt": self.started_at,
            "synced": self.synced,
            "configValid": all(p.severity is not Severity.ERROR for p in self.problems),
            "problems": [problem_document(problem) for problem in self.problems],
            "draining": self.draining,
            "counts": self._counts(),
            "virtualRouters": router_documents(self.live.layer2 or Layer2Report()),
        }

    def _counts(self) -> Document:
        assignments = [a for a in self.plan.assignments if a.state is not AssignmentState.IGNORED]
        states = self.live.sessions.values()
        progress = Progress(self.plan, self.live)
        announced = {
            verdict.address
            for verdict in self.plan.verdicts
            if progress.goes_on(verdict) and progress.last(verdict).ok
        }
        return {
            "services": len(assignments),
            "vips": len({address for a in assignments for address in a.addresses}),
            "announced": len(announced),
            "sessions": len(self.plan.sessions),
            "sessionsUp": sum(state.status is SessionStatus.UP for state in states),
            "routesDesired": sum(state.desired for state in states),
            "routesSent": sum(state.sent for state in states),
            "routesFlushed": sum(state.flushed for state in states),
            "owned": owned(self.live.layer2, self.node) if self.live.layer2 else 0,
        }

    def sessions(self) -> Document:
        """Return `/api/v1/sessions`."""
        states = self.live.sessions
        return {
            "items": [
                {**session_document(session), **_session_state(states.get(session.peer.name))}
                for session in self.plan.sessions
            ]
        }

    def routes(self) -> Document:
        """Return `/api/v1/routes`."""
        return {
            "items": [
                {
                    **route_document(node, peer, route),
                    "state": self.live.route_status(peer, route.prefix).value,
                }
                for node, peer, route in sorted_routes(self.plan)
            ]
        }

    def vips(self) -> Document:
        """Return `/api/v1/vips`."""
        progress = Progress(self.plan, self.live)
        report = self.live.layer2 or Layer2Report()
        items = [self._vip(verdict, progress) for verdict in self.plan.verdicts]
        return {"items": [*items, *router_vips(report)]}

    def layer2(self) -> Document:
        """Return what metrics need of layer 2 beside the other documents."""
        return layer2_document(self.live.layer2 or Layer2Report())

    def _vip(self, verdict: Verdict, progress: Progress) -> Document:
        reason, message = self._live_reason(verdict, progress)
        health = None
        if verdict.service.namespace == VIRTUAL_IP_NAMESPACE:
            health = self.health.get(verdict.service.name)
        return {
            "service": str(verdict.service),
            "address": str(verdict.address) if verdict.address else None,
            "protocol": verdict.protocol.value if verdict.protocol else None,
            "reason": reason.value,
            "message": message,
            "since": self.since.get(verdict.service, self.started_at),
            "health": health.value if health else None,
            "segments": self._segments(verdict),
        }

    def _segments(self, verdict: Verdict) -> list[Document]:
        if verdict.protocol is not Protocol.LAYER2 or self.live.layer2 is None:
            return []
        return address_segments(self.live.layer2, verdict.address)

    def _live_reason(self, verdict: Verdict, progress: Progress) -> tuple[Reason, str]:
        """Say of what the plan announces whether a peer has it, else the plan's own reason."""
        if not progress.goes_on(verdict):
            return verdict.reason, progress.words(verdict)
        step = progress.last(verdict)
        told = verdict.announced and step.ok
        return step.reason, verdict.message if told else step.message

    def plan_document(self) -> Document:
        """Return `/api/v1/plan`."""
        return plan_document(self.plan, self.policy, self.problems)


def _session_state(state: SessionState | None) -> Document:
    if state is None:
        empty = {"desired": 0, "sent": 0, "flushed": 0}
        return {"state": "unknown", "since": None, "lastError": None, "routes": empty, "updates": 0}
    return {
        "state": state.status.value,
        "since": clock.wall_of(state.since),
        "lastError": state.last_error,
        "routes": {"desired": state.desired, "sent": state.sent, "flushed": state.flushed},
        "updates": state.updates,
    }
