"""`explain`: the chain from a Service to the router's RIB, and its first broken link (CLI.md)."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.model.address import IPAddress
from orchestrator.model.live import Live
from orchestrator.model.plan import Assignment, AssignmentState, Plan, Protocol, Reason, Verdict
from orchestrator.planner.elected import may_answer, members
from orchestrator.planner.progress import Progress
from orchestrator.planner.step import Step, broken, good

STEP_OF = {
    Reason.IP_NOT_ALLOWED: "assigned",
    Reason.NO_MATCHING_ADVERTISEMENT: "advertisement",
    Reason.CONFLICTING_ADVERTISEMENTS: "advertisement",
    Reason.SHARED_IP_WITH_SERVICE_SELECTOR: "advertisement",
    Reason.MEMBER_DOWN: "node",
    Reason.DRAINING: "node",
    Reason.NODE_NETWORK_UNAVAILABLE: "node",
    Reason.NODE_LABELED_EXCLUDE_BALANCERS: "node",
    Reason.NO_LOCAL_ENDPOINTS: "endpoints",
    Reason.NO_ENDPOINTS: "endpoints",
    Reason.UNHEALTHY: "health",
    Reason.NOT_OWNER: "elected",
    Reason.NO_NEXT_HOP: "session",
}
"""Link of the chain that a verdict breaks."""

CHAIN = ("advertisement", "node", "endpoints", "health")
"""Links that the plan alone decides, after `assigned`."""


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
    plan: Plan, target: str, nodes: tuple[str, ...], lives: Mapping[str, Live]
) -> Explanation | None:
    """Explain `target` (an address, NAMESPACE/NAME or virtualip/NAME); None when nobody has it.

    `nodes` are those planned for, `lives` what is known of each besides. The chain of a node that
    is not in `lives` ends where the plan's knowledge does.
    """
    assignment = _find(plan, target)
    if assignment is None:
        return None
    if assignment.state is not AssignmentState.ASSIGNED:
        chains = tuple(NodeExplanation(node, None, (_unassigned(assignment),)) for node in nodes)
    else:
        verdicts = _verdicts(plan, assignment, target)
        chains = tuple(
            _chain(plan, assignment, verdict, lives.get(verdict.node)) for verdict in verdicts
        )
        chains += _members(verdicts, lives)
    return Explanation(target, chains, _answer(target, assignment, chains))


def involved(plan: Plan, target: str) -> tuple[Assignment, ...]:
    """Return the assignment of `target`, and all that have an address together with it, and so on."""
    first = _find(plan, target)
    if first is None or not first.addresses:
        return () if first is None else (first,)
    addresses: set[IPAddress] = set()
    more = set(first.addresses)
    while more != addresses:
        addresses = more
        found = tuple(one for one in plan.assignments if addresses & set(one.addresses))
        more = {address for one in found for address in one.addresses}
    return found


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
    return broken("assigned", reason, assignment.message or reason.value)


def _verdicts(plan: Plan, assignment: Assignment, target: str) -> list[Verdict]:
    """Return one verdict for each node and protocol: of the address asked for, else the first no."""
    chosen: dict[tuple[str, str], Verdict] = {}
    for verdict in plan.verdicts:
        if verdict.service != assignment.service:
            continue
        if "/" not in target and str(verdict.address) != str(ipaddress.ip_address(target)):
            continue
        key = (verdict.node, verdict.protocol.value if verdict.protocol else "")
        known = chosen.get(key)
        if known is None or (known.announced and not verdict.announced):
            chosen[key] = verdict
    return [chosen[key] for key in sorted(chosen)]


def _chain(
    plan: Plan, assignment: Assignment, verdict: Verdict, live: Live | None
) -> NodeExplanation:
    if live is None:
        steps = list(_planned_steps(assignment, verdict))
        if verdict.announced and verdict.protocol is Protocol.LAYER2:
            steps.append(good("elected", verdict.message))
        return NodeExplanation(verdict.node, verdict.protocol, tuple(steps))
    progress = Progress(plan, live)
    reason = Reason.ANNOUNCED if may_answer(verdict) else verdict.reason
    planned = replace(verdict, reason=reason, message=progress.words(verdict))
    steps = list(_planned_steps(assignment, planned))
    if all(step.ok for step in steps):
        steps.extend(progress.steps(verdict))
    return NodeExplanation(verdict.node, verdict.protocol, tuple(steps))


def _members(verdicts: list[Verdict], lives: Mapping[str, Live]) -> tuple[NodeExplanation, ...]:
    """Say what a lone node knows of the other members of its segments, for the address looked at."""
    elected_here = next((v for v in verdicts if v.protocol is Protocol.LAYER2), None)
    if len(lives) != 1 or elected_here is None:
        return ()
    live = lives.get(elected_here.node)
    if live is None or live.layer2 is None:
        return ()
    return tuple(
        NodeExplanation(name, Protocol.LAYER2, (step,))
        for name, step in members(live.layer2, elected_here.address, elected_here.node)
    )


def _planned_steps(assignment: Assignment, verdict: Verdict) -> tuple[Step, ...]:
    stop = None if verdict.announced else STEP_OF[verdict.reason]
    addresses = ", ".join(str(address) for address in assignment.addresses)
    but = f"; {assignment.message}" if assignment.message else ""
    steps = [good("assigned", f"{addresses} from pool {assignment.pool}{but}")]
    if stop == "assigned":
        return (_refused("assigned", verdict),)
    for name in CHAIN:
        if name == stop:
            return (*steps, _refused(name, verdict))
        steps.append(good(name, "ok"))
    if stop is not None:
        return (*steps, _refused(stop, verdict))
    return tuple(steps)


def _refused(step: str, verdict: Verdict) -> Step:
    return broken(step, verdict.reason, verdict.message)


def _answer(target: str, assignment: Assignment, chains: tuple[NodeExplanation, ...]) -> str:
    name = target if "/" in target else f"{target} ({assignment.service})"
    yes = [chain for chain in chains if chain.announced]
    owned = any(chain.protocol is Protocol.LAYER2 for chain in yes)
    no = [chain for chain in chains if not chain.announced and not (owned and _is_spare(chain))]
    reasons = _reasons(no)
    if not yes:
        return f"{name} is not announced: {reasons or 'there is no node'}."
    return f"{name} is announced by {_announcers(yes)}{f', not by {reasons}' if no else ''}."


def _reasons(chains: Iterable[NodeExplanation]) -> str:
    """Say why nodes do not announce, each reason once with all its nodes."""
    nodes: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for chain in chains:
        last = chain.steps[-1]
        nodes[f"{last.message} ({last.reason.value})"][chain.node] = None
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in nodes.items())


def _is_spare(chain: NodeExplanation) -> bool:
    """Tell whether a node only waits for its turn on layer 2."""
    return chain.steps[-1].reason is Reason.NOT_OWNER


def _announcers(chains: list[NodeExplanation]) -> str:
    """Name the nodes that announce, with the protocol where it is not BGP alone."""
    bgp = ", ".join(chain.node for chain in chains if chain.protocol is Protocol.BGP)
    layer2 = ", ".join(chain.node for chain in chains if chain.protocol is Protocol.LAYER2)
    if not layer2:
        return bgp
    return f"{bgp} over BGP and {layer2} on layer 2" if bgp else f"{layer2} on layer 2"
