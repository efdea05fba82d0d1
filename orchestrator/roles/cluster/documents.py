"""The JSON documents of a whole cluster that was looked at once: CLI.md's, with all nodes in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestrator import __version__
from orchestrator.kube.configuration_state import CONTROLLER
from orchestrator.kube.resources import CONFIGURATION_STATES, SPEAKER_STATES
from orchestrator.kube.speaker_state import RENEWED
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import Layer2Report
from orchestrator.model.live import Live
from orchestrator.model.plan import AssignmentState, Plan
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.session_state import SessionState, SessionStatus
from orchestrator.model.settings import Transport
from orchestrator.planner import draining
from orchestrator.planner.document import plan_document, pools_document, problem_document
from orchestrator.planner.explain import explain
from orchestrator.planner.progress import Progress
from orchestrator.planner.segment_problems import segment_problems
from orchestrator.roles.cluster.look import Look
from orchestrator.roles.documents import View

Document = dict[str, Any]
_ROUTES = ("routesDesired", "routesSent", "routesFlushed")


class ClusterView:
    """Answers for a cluster that was looked at."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._nodes = sorted(look.reading.cluster.nodes)

    def explain(self, target: str) -> Document | None:
        """Return `orchestrator explain`; None when no Service has `target`."""
        look = self._look
        explanation = explain(look.plan, target, tuple(self._nodes), look.lives)
        return explanation.document() if explanation else None

    def plan(self) -> Document:
        """Return the plan of the objects that are there."""
        look = self._look
        return plan_document(look.plan, look.reading.policy, look.problems)

    def sessions(self) -> Document:
        """Return the sessions of all nodes, with the times that their speakers told."""
        since = {
            (node, one["peer"]): one.get("since")
            for node, told in self._heard()
            for one in (told.get("status") or {}).get("sessions") or ()
        }
        items = self._items(View.sessions)["items"]
        return {"items": [{**one, "since": since.get((one["node"], one["peer"]))} for one in items]}

    def _heard(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the SpeakerStates of nodes that are heard, by node."""
        for node, live in self._look.lives.items():
            if not live.unheard:
                yield node, self._look.speakers[node]

    def routes(self) -> Document:
        """Return the routes of all nodes."""
        return self._items(View.routes)

    def vips(self) -> Document:
        """Return every address on every node; since when is known to the node only."""
        return {"items": [{**item, "since": None} for item in self._items(View.vips)["items"]]}

    def _items(self, part: Callable[[View], Document]) -> Document:
        return {
            "items": [
                {**item, "node": node}
                for node in self._nodes
                for item in part(self._view(node))["items"]
            ]
        }

    def _view(self, node: str) -> View:
        look, plan = self._look, self._look.plan
        own = replace(
            plan,
            sessions=tuple(one for one in plan.sessions if one.node == node),
            ribs={node: plan.ribs.get(node, {})},
            verdicts=tuple(one for one in plan.verdicts if one.node == node),
        )
        live = look.lives[node]
        return View(
            node=node,
            role="speaker",
            started_at="",
            synced=not live.unheard,
            draining=False,
            plan=own,
            policy=look.reading.policy,
            problems=(),
            health={},
            live=live,
            since={},
        )

    def status(self) -> Document:
        """Return `orchestrator status` of a cluster: its sums, and every node and pool."""
        look = self._look
        problems = (*look.problems, *look.plan.problems, *self._told_problems())
        nodes = [self._node(name) for name in self._nodes]
        return {
            "node": None,
            "version": __version__,
            "role": "cluster",
            "startedAt": None,
            "synced": not look.unread,
            "configValid": all(one.severity is not Severity.ERROR for one in problems),
            "problems": [problem_document(one) for one in problems],
            "draining": any(one["draining"] for one in nodes),
            "counts": self._counts(nodes),
            "nodes": nodes,
            "pools": pools_document(look.plan, look.reading.policy),
        }

    def _counts(self, nodes: list[Document]) -> Document:
        plan = self._look.plan
        ours = [one for one in plan.assignments if one.state is not AssignmentState.IGNORED]
        return {
            "services": len(ours),
            "vips": len({address for one in ours for address in one.addresses}),
            "announced": len(_announced(plan, self._look.lives)),
            "sessions": len(plan.sessions),
            "sessionsUp": sum(node["sessionsUp"] for node in nodes),
            **{name: sum(node[name] for node in nodes) for name in _ROUTES},
            "owned": sum(node["owned"] for node in nodes),
        }

    def _node(self, name: str) -> Document:
        """Return what is known of a node; one that nobody told of has no version."""
        look = self._look
        status = look.speakers.get(name, {}).get("status") or {}
        live = look.lives[name]
        states = live.sessions
        planned = [one.peer.name for one in look.plan.sessions if one.node == name]
        down = [states[peer] for peer in planned if peer in states and not _is_up(states[peer])]
        errors = [f"{one.peer}: {one.last_error or one.status.value}" for one in down]
        return {
            "node": name,
            "version": status.get("version"),
            "heard": not live.unheard,
            "told": status.get(RENEWED),
            "draining": name in self._draining,
            "sessions": len(planned),
            "sessionsUp": sum(peer in states and _is_up(states[peer]) for peer in planned),
            "lastError": "; ".join(errors) or None,
            "routesDesired": sum(one.desired for one in states.values()),
            "routesSent": sum(one.sent for one in states.values()),
            "routesFlushed": sum(one.flushed for one in states.values()),
            "owned": 0 if live.unheard else int(status.get("owned", 0)),
        }

    @property
    def _draining(self) -> list[str]:
        reading = self._look.reading
        nodes, settings = reading.cluster.nodes.values(), reading.policy.settings
        return draining.in_turn(nodes, settings)[0]

    def _told_problems(self) -> Iterator[Problem]:
        """Say who is silent, and who could not read the configuration."""
        look = self._look
        unread = {one.object for one in look.unread}
        for node in self._nodes:
            if look.lives[node].unheard and str(SPEAKER_STATES) not in unread:
                yield Problem(
                    Severity.WARNING, "noSpeaker", f"Node {node}", look.lives[node].unheard
                )
            yield from self._of_segments(node)
        if CONTROLLER not in look.states and str(CONFIGURATION_STATES) not in unread:
            text = "no controller has told of itself: without one no Service gets an address"
            yield Problem(Severity.WARNING, "noController", "controller", text)
        for name, state in sorted(look.states.items()):
            told = state.get("status") or {}
            if told.get("result") == "Invalid":
                text = f"it found: {told.get('errorSummary', '')}"
                yield Problem(Severity.WARNING, "configurationInvalid", name, text)

    def _of_segments(self, node: str) -> Iterator[Problem]:
        """Yield what a node told of its segments, in its own words."""
        report = self._look.lives[node].layer2 or Layer2Report()
        for problem in segment_problems(report, node, Transport.MULTICAST):
            yield replace(problem, object=f"{problem.object} on {node}")


def _is_up(state: SessionState) -> bool:
    return state.status is SessionStatus.UP


def _announced(plan: Plan, lives: Mapping[str, Live]) -> set[IPAddress | None]:
    """Return the addresses that at least one node really announces."""
    progress = {node: Progress(plan, live) for node, live in lives.items()}
    found: set[IPAddress | None] = set()
    for verdict in plan.verdicts:
        here = progress[verdict.node]
        if verdict.address not in found and here.goes_on(verdict) and here.last(verdict).ok:
            found.add(verdict.address)
    return found
