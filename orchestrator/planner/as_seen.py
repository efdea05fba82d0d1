"""The plan of a cluster as it is seen from outside: what is held is announced, and why others wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.model.cluster import Cluster, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Plan, Reason
from orchestrator.model.policy import Policy
from orchestrator.planner.allocate import allocate
from orchestrator.planner.choice import listed
from orchestrator.planner.plan import plan
from orchestrator.planner.world import see


def plan_as_seen(cluster: Cluster, policy: Policy, local: Local) -> Plan:
    """Plan with the addresses that Services have, as speakers do.

    Of a Service that has none, or not what it asks for, it is said why the controller gives it
    none.
    """
    held = plan(cluster, policy, replace(local, allocates=False))
    services = see(cluster, local).services
    answers = allocate(services, policy, cluster.namespaces, replace(local, allocates=True))
    given = {one.service: one for one in answers}
    return replace(held, assignments=tuple(_explained(one, given) for one in held.assignments))


def _explained(held: Assignment, given: Mapping[ServiceKey, Assignment]) -> Assignment:
    """Say of what a Service has what the controller thinks of it."""
    answer = given[held.service]
    if held.state is AssignmentState.ASSIGNED and answer.addresses == held.addresses:
        return answer
    if held.state is AssignmentState.PENDING and answer.state is AssignmentState.PENDING:
        return answer
    if answer.state is not AssignmentState.ASSIGNED:
        return replace(held, reason=answer.reason, message=answer.message, events=answer.events)
    text = f"the controller is about to give it {listed(answer.addresses)} from pool {answer.pool}"
    if held.state is AssignmentState.PENDING:
        why = "" if held.reason is Reason.NO_IP_ALLOCATED else f"{held.message}; "
        return replace(held, message=f"{why}{text}: if that lasts, is it running?")
    return replace(held, message=text)
