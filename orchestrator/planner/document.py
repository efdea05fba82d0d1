"""The plan as the JSON document of CLI.md: sorted, with no key left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.model.address import Family, IPAddress, IPNetwork, family_of
from orchestrator.model.plan import Assignment, AssignmentState, Election, Plan, Session, Verdict
from orchestrator.model.policy import Policy, Pool
from orchestrator.model.problem import Problem
from orchestrator.model.route import Route

Document = dict[str, Any]

_ENDLESS = 62
"""Host bits from which on MetalLB does not count addresses (metallb.md 1.1, status)."""
_MAX_INT64 = 2**63 - 1


def plan_document(plan: Plan, policy: Policy, problems: Iterable[Problem]) -> Document:
    """Return `orchestrator plan -o json`; two equal plans give equal documents."""
    return {
        "version": 1,
        "problems": [problem_document(problem) for problem in (*problems, *plan.problems)],
        "assignments": [_assignment(assignment) for assignment in plan.assignments],
        "pools": pools_document(plan, policy),
        "sessions": [session_document(session) for session in _sorted_sessions(plan.sessions)],
        "routes": routes_document(plan),
        "layer2": [_election(election) for election in plan.elections],
        "verdicts": [_verdict(verdict) for verdict in plan.verdicts],
    }


def pools_document(plan: Plan, policy: Policy) -> list[Document]:
    """Return how much of each pool is in use, by name."""
    return [_pool(pool, plan.assignments) for pool in _by_name(policy.pools)]


def problem_document(problem: Problem) -> Document:
    """Return a Problem of CLI.md."""
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        "object": problem.object,
        "place": problem.place,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }


def _assignment(assignment: Assignment) -> Document:
    return {
        "service": str(assignment.service),
        "state": assignment.state.value,
        "addresses": [str(address) for address in assignment.addresses],
        "pool": assignment.pool,
        "origin": assignment.origin.value if assignment.origin else None,
        "reason": assignment.reason.value if assignment.reason else None,
        "message": assignment.message,
        "events": [
            {"type": event.type, "reason": event.reason, "message": event.message}
            for event in assignment.events
        ],
    }


def _by_name(pools: Iterable[Pool]) -> list[Pool]:
    return sorted(pools, key=lambda pool: pool.name)


def _pool(pool: Pool, assignments: Iterable[Assignment]) -> Document:
    used = {
        address
        for assignment in assignments
        if assignment.state is AssignmentState.ASSIGNED and assignment.pool == pool.name
        for address in assignment.addresses
    }
    return {
        "name": pool.name,
        "ipv4": _usage(pool, used, Family.IPV4),
        "ipv6": _usage(pool, used, Family.IPV6),
    }


def _usage(pool: Pool, used: set[IPAddress], family: Family) -> Document:
    in_use = sum(family_of(address) is family for address in used)
    return {"total": _total(pool, family), "inUse": in_use}


def _total(pool: Pool, family: Family) -> int:
    """Count what a pool can give; a range of 2^62 or more counts as all that 64 bits can say."""
    ranges = [addresses for addresses in pool.ranges if addresses.family is family]
    if any(family.host_length - addresses.mask_length >= _ENDLESS for addresses in ranges):
        return _MAX_INT64
    total = sum(addresses.size for addresses in ranges)
    if pool.avoid_buggy_ips and family is Family.IPV4:
        total -= sum(_buggy(int(addresses.first), int(addresses.last)) for addresses in ranges)
    return total


def _buggy(first: int, last: int) -> int:
    """Count addresses between `first` and `last` that end in .0 or .255."""

    def ending(octet: int) -> int:
        return (last - octet) // 256 - (first - octet - 1) // 256

    return ending(0) + ending(255)


def _sorted_sessions(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda session: (session.node, session.peer.name))


def session_document(session: Session) -> Document:
    """Return the first eight fields of a session in CLI.md."""
    peer = session.peer
    return {
        "node": session.node,
        "peer": peer.name,
        "address": str(peer.address),
        "port": peer.port,
        "myASN": peer.session_asn,
        "peerASN": peer.peer_asn,
        "ibgp": peer.ibgp,
        "families": [str(family) for family in session.families],
    }


def routes_document(plan: Plan) -> list[Document]:
    """Return all routes of the plan, by node, peer and prefix."""
    return [route_document(node, peer, route) for node, peer, route in sorted_routes(plan)]


def sorted_routes(plan: Plan) -> list[tuple[str, str, Route]]:
    """Return (node, peer, route) in the order they are printed."""
    return [
        (node, peer, rib[prefix])
        for node in sorted(plan.ribs)
        for peer, rib in sorted(plan.ribs[node].items())
        for prefix in sorted(rib, key=_prefix_order)
    ]


def _prefix_order(prefix: IPNetwork) -> tuple[int, int, int]:
    return (prefix.version, int(prefix.network_address), prefix.prefixlen)


def route_document(node: str, peer: str, route: Route) -> Document:
    """Return one route of CLI.md."""
    attributes = route.attributes
    return {
        "node": node,
        "peer": peer,
        "prefix": str(route.prefix),
        "nextHop": str(attributes.next_hop) if attributes.next_hop else "self",
        "localPref": attributes.local_pref,
        "med": attributes.med,
        "communities": [str(community) for community in attributes.communities],
        "largeCommunities": [str(community) for community in attributes.large_communities],
        "asPath": list(attributes.as_path),
        "services": sorted(route.services),
    }


def _election(election: Election) -> Document:
    owner = election.owner
    interfaces = None if owner is None or owner.interfaces is None else sorted(owner.interfaces)
    return {
        "service": str(election.service),
        "address": str(election.address),
        "owner": owner.node if owner else None,
        "candidates": [candidate.node for candidate in election.candidates],
        "interfaces": interfaces,
    }


def _verdict(verdict: Verdict) -> Document:
    return {
        "service": str(verdict.service),
        "address": str(verdict.address) if verdict.address else None,
        "node": verdict.node,
        "protocol": verdict.protocol.value if verdict.protocol else None,
        "reason": verdict.reason.value,
        "message": verdict.message,
    }
