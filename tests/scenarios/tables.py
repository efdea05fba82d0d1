"""Plans and problems as the lines that scenario files expect; all defaults are left out."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.model.plan import Assignment, AssignmentState, Plan
from orchestrator.model.problem import Problem
from orchestrator.model.route import PathAttributes
from orchestrator.planner.document import sorted_routes


def routes(plan: Plan) -> list[str]:
    """NODE PEER PREFIX [via HOP] [pref N] [med N] [communities C,C] [large L,L] [path ASN,ASN]."""
    return [
        " ".join((node, peer, str(route.prefix), *_attributes(route.attributes)))
        for node, peer, route in sorted_routes(plan)
    ]


def _attributes(attributes: PathAttributes) -> Iterable[str]:
    lists = {
        "communities": attributes.communities,
        "large": attributes.large_communities,
        "path": attributes.as_path,
    }
    if attributes.next_hop is not None:
        yield f"via {attributes.next_hop}"
    if attributes.local_pref is not None:
        yield f"pref {attributes.local_pref}"
    if attributes.med is not None:
        yield f"med {attributes.med}"
    for name, values in lists.items():
        if values:
            yield f"{name} {','.join(map(str, values))}"


def verdicts(plan: Plan) -> list[str]:
    """NODE SERVICE ADDRESS REASON."""
    return [f"{v.node} {v.service} {v.address} {v.reason.value}" for v in plan.verdicts]


def assignments(plan: Plan) -> list[str]:
    """SERVICE ADDRESSES from POOL, or SERVICE STATE REASON."""
    return [f"{one.service} {_outcome(one)}" for one in plan.assignments]


def _outcome(assignment: Assignment) -> str:
    if assignment.state is AssignmentState.ASSIGNED:
        return f"{','.join(map(str, assignment.addresses))} from {assignment.pool}"
    reason = assignment.reason.value if assignment.reason else "?"
    return f"{assignment.state.value} {reason}"


def sessions(plan: Plan) -> list[str]:
    """NODE PEER ADDRESS OWN-ASN PEER-ASN."""
    return [
        f"{s.node} {s.peer.name} {s.peer.address} {s.peer.session_asn} {s.peer.peer_asn}"
        for s in plan.sessions
    ]


def problems(found: Iterable[Problem]) -> list[str]:
    """SEVERITY CODE FILE:LINE OBJECT."""
    return [
        f"{p.severity.value} {p.code} {p.place.rsplit(':', 1)[0]} {p.object}".strip() for p in found
    ]
