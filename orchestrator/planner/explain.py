"""`explain`: the chain from a Service to the router's RIB, and its first broken link (CLI.md)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from orchestrator.model.address import IPNetwork
from orchestrator.model.live import Live
from orchestrator.model.plan import Assignment, AssignmentState, Plan, Protocol, Reason, Verdict
from orchestrator.model.session_state import RouteStatus, SessionStatus

STEP_OF = {
    Reason.IP_NOT_ALLOWED: "assigned",
    Reason.NO_MATCHING_ADVERTISEMENT: "advertisement",
    Reason.CONFLICTING_ADVERTISEMENTS: "advertisement",
    Reason.MEMBER_DOWN: "node",
    Reason.DRAINING: "node",
    Reason.NODE_NETWORK_UNAVAILABLE: "node",
    Reason.NODE_LABELED_EXCLUDE_BALANCERS: "node",
    Reason.NO_LOCAL_ENDPOINTS: "endpoints",
    Reason.NO_ENDPOINTS: "endpoints",
    Reason.UNHEALTHY: "health",
    Reason.NO_NEXT_HOP: "session",
}
"""Link of the chain that a verdict breaks."""

CHAIN = ("advertisement", "node", "endpoints", "health")
"""Links that the plan alone decides, after `assigned`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One link; `reason` of a good one is `announced`."""

    step: str
    ok: bool
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NodeExplanation:
    """The chain on one node up to and including the first broken link."""

    node: str
    protocol: Protocol | None
    steps: tuple[Step, ...]

    @property
    def announced(self) -> bool:
        """Tell whether no link is broken."""
        return all(step.ok for step in self.steps)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one target."""

    target: str
    nodes: tuple[NodeExplanation, ...]
    answer: str

    def document(self) -> dict[str, Any]:
        """Return the JSON of `orchestrator explain`."""
        return {
            "target": self.target,
            "nodes": [_node_document(node) for node in self.nodes],
            "answer": self.answer,
        }


def _node_document(node: NodeExplanation) -> dict[str, Any]:
    return {
        "node": node.node,
        "protocol": node.protocol.value if node.protocol else None,
        "announced": node.announced,
        "steps": [
            {"step": s.step, "ok": s.ok, "reason": s.reason.value, "message": s.message}
            for s in node.steps
        ],
    }


def explain(
    plan: Plan, target: str, nodes: tuple[str, ...], live: Live | None
) -> Explanation | None:
    """Explain `target` (an address, NAMESPACE/NAME or virtualip/NAME); None when nobody has it.

    `nodes` are those planned for. Without `live` the chain ends where the plan's knowledge does.
    """
    assignment = _find(plan, target)
    if assignment is None:
        return None
    if assignment.state is not AssignmentState.ASSIGNED:
        chains = tuple(NodeExplanation(node, None, (_unassigned(assignment),)) for node in nodes)
    else:
        verdicts = _verdicts(plan, assignment, target)
        chains = tuple(_chain(plan, assignment, verdict, live) for verdict in verdicts)
    return Explanation(target, chains, _answer(target, assignment, chains))


def _find(plan: Plan, target: str) -> Assignment | None:
    for assignment in plan.assignments:
        if str(assignment.service) == target or _has(assignment, target):
            return assignment
    return None


def _has(assignment: Assignment, target: str) -> bool:
    try:
        address = ipaddress.ip_address(target)
    except ValueError:
        return False
    return address in assignment.addresses


def _unassigned(assignment: Assignment) -> Step:
    reason = assignment.reason or Reason.NO_IP_ALLOCATED
    return Step("assigned", ok=False, reason=reason, message=assignment.message or reason.value)


def _verdicts(plan: Plan, assignment: Assignment, target: str) -> list[Verdict]:
    """Return one verdict for each node: of the address asked for, else the first that is a no."""
    chosen: dict[str, Verdict] = {}
    for verdict in plan.verdicts:
        if verdict.service != assignment.service:
            continue
        if "/" not in target and str(verdict.address) != str(ipaddress.ip_address(target)):
            continue
        known = chosen.get(verdict.node)
        if known is None or (known.announced and not verdict.announced):
            chosen[verdict.node] = verdict
    return [chosen[node] for node in sorted(chosen)]


def _chain(
    plan: Plan, assignment: Assignment, verdict: Verdict, live: Live | None
) -> NodeExplanation:
    steps = list(_planned_steps(assignment, verdict))
    if all(step.ok for step in steps) and live is not None:
        steps.extend(_live_steps(plan, verdict, live))
    return NodeExplanation(verdict.node, verdict.protocol, tuple(steps))


def _planned_steps(assignment: Assignment, verdict: Verdict) -> tuple[Step, ...]:
    broken = None if verdict.announced else STEP_OF[verdict.reason]
    addresses = ", ".join(str(address) for address in assignment.addresses)
    steps = [_ok("assigned", f"{addresses} from pool {assignment.pool}")]
    if broken == "assigned":
        return (_no("assigned", verdict),)
    for name in CHAIN:
        if name == broken:
            return (*steps, _no(name, verdict))
        steps.append(_ok(name, "ok"))
    return (*steps, _no("session", verdict)) if broken else tuple(steps)


def _no(step: str, verdict: Verdict) -> Step:
    return Step(step, ok=False, reason=verdict.reason, message=verdict.message)


def _ok(step: str, message: str) -> Step:
    return Step(step, ok=True, reason=Reason.ANNOUNCED, message=message)


def _live_steps(plan: Plan, verdict: Verdict, live: Live) -> list[Step]:
    """Follow the route to every peer: session up, sent, flushed."""
    routes = _routes(plan, verdict)
    if not routes:
        text = f"no peer of {verdict.node} takes this route: see peers and families"
        return [Step("session", ok=False, reason=Reason.NOT_SENT, message=text)]
    up = {peer: prefixes for peer, prefixes in routes.items() if _is_up(live, peer)}
    states = ", ".join(f"{peer} {_session_text(live, peer)}" for peer in routes)
    if not up:
        return [Step("session", ok=False, reason=Reason.PEER_DOWN, message=states)]
    steps = [_ok("session", states)]
    unbound = live.unbound.get(verdict.address) if verdict.address else None
    if unbound is not None:
        text = f"{verdict.address} is held back until it is bound: {unbound}"
        return [*steps, Step("sent", ok=False, reason=Reason.NOT_SENT, message=text)]
    progress = {
        RouteStatus.SENT: Reason.NOT_SENT,
        RouteStatus.FLUSHED: Reason.NOT_ACKNOWLEDGED,
    }
    for status, reason in progress.items():
        late = [peer for peer in up if not _reached(live, peer, up[peer], status)]
        text = f"not yet {status.value} to {', '.join(late)}" if late else f"to {', '.join(up)}"
        steps.append(Step(status.value, not late, reason if late else Reason.ANNOUNCED, text))
        if late:
            break
    return steps


def _routes(plan: Plan, verdict: Verdict) -> dict[str, list[IPNetwork]]:
    """Prefixes, by peer, that carry the address of `verdict` for its Service."""
    name = str(verdict.service)
    found: dict[str, list[IPNetwork]] = {}
    for peer, rib in sorted(plan.ribs.get(verdict.node, {}).items()):
        prefixes = [
            prefix
            for prefix, route in rib.items()
            if name in route.services and verdict.address in prefix
        ]
        if prefixes:
            found[peer] = prefixes
    return found


def _is_up(live: Live, peer: str) -> bool:
    state = live.sessions.get(peer)
    return state is not None and state.status is SessionStatus.UP


def _session_text(live: Live, peer: str) -> str:
    state = live.sessions.get(peer)
    if state is None:
        return SessionStatus.UNKNOWN.value
    return f"{state.status.value} ({state.last_error})" if state.last_error else state.status.value


def _reached(live: Live, peer: str, prefixes: list[IPNetwork], status: RouteStatus) -> bool:
    enough = (
        {RouteStatus.FLUSHED} if status is RouteStatus.FLUSHED else {status, RouteStatus.FLUSHED}
    )
    return all(live.route_status(peer, prefix) in enough for prefix in prefixes)


def _answer(target: str, assignment: Assignment, chains: tuple[NodeExplanation, ...]) -> str:
    name = target if "/" in target else f"{target} ({assignment.service})"
    yes = [chain.node for chain in chains if chain.announced]
    no = [chain for chain in chains if not chain.announced]
    if yes and not no:
        return f"{name} is announced by {', '.join(yes)}."
    reasons = "; ".join(
        f"{chain.node}: {chain.steps[-1].message} ({chain.steps[-1].reason.value})" for chain in no
    )
    if yes:
        return f"{name} is announced by {', '.join(yes)}, not by {reasons}."
    return f"{name} is not announced: {reasons or 'there is no node'}."
