"""What allocation says of a Service: its assignment, with MetalLB's Events (metallb.md 3.8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Service
from orchestrator.model.plan import Assignment, AssignmentState, KubernetesEvent, Origin, Reason
from orchestrator.model.policy import Pool
from orchestrator.planner.choice import Addresses, Choice, listed
from orchestrator.planner.ledger import Refusal

_NEW_GROUP, _OLD_GROUP = "metallb.io/", "metallb.universe.tf/"


def kept(service: Service, addresses: Addresses, pool: str | None) -> Assignment:
    """Say that a Service has what it had."""
    return Assignment(service.key, AssignmentState.ASSIGNED, addresses, pool, Origin.KEPT)


def kept_against_wish(
    service: Service, addresses: Addresses, pool: str | None, refusal: Refusal
) -> Assignment:
    """Say that a Service keeps what it has, since it cannot have what it asks for.

    MetalLB takes away what it has first (metallb.md 3.2, step 7).
    """
    text = f"keeps {listed(addresses)}, since what it asks for cannot be had: {refusal.message}"
    return replace(
        kept(service, addresses, pool),
        reason=refusal.reason,
        message=text,
        events=(_refusal(service, refusal, holds=True),),
    )


def assigned(service: Service, choice: Choice, lost: Refusal | None = None) -> Assignment:
    """Say that a Service is given addresses, perhaps in the place of some it had to give up."""
    got = KubernetesEvent("Normal", "IPAllocated", f"Assigned IP {_quoted(choice.addresses)}")
    return Assignment(
        service.key,
        AssignmentState.ASSIGNED,
        choice.addresses,
        choice.pool.name,
        choice.origin,
        events=(*_cleared(service, lost), got),
    )


def extended(answer: Assignment, addresses: Addresses, more: IPAddress) -> Assignment:
    """Say that a Service is given the family it lacked."""
    got = KubernetesEvent("Normal", "IPAllocated", f"Assigned additional IP {_quoted([more])}")
    return replace(answer, addresses=addresses, events=(got,))


def not_extended(answer: Assignment, pool: Pool) -> Assignment:
    """Say that a Service which prefers two families has one, since its pool has no more."""
    text = f"cannot assign additional IP in PreferDualStack: no available IPs in pool {pool.name}"
    event = KubernetesEvent("Normal", "AdditionalAssignFailed", text)
    return replace(answer, events=(event,))


def refused(service: Service, refusal: Refusal, lost: Refusal | None = None) -> Assignment:
    """Say that a Service waits."""
    return Assignment(
        service.key,
        AssignmentState.PENDING,
        reason=refusal.reason,
        message=refusal.message,
        events=(*_cleared(service, lost), _refusal(service, refusal, holds=False)),
    )


def pending(service: Service, reason: Reason, message: str) -> Assignment:
    """Say that a Service waits for somebody else, who writes the Events about it."""
    return Assignment(service.key, AssignmentState.PENDING, reason=reason, message=message)


def _refusal(service: Service, refusal: Refusal, *, holds: bool) -> KubernetesEvent:
    if refusal.reason is Reason.NOT_ENOUGH_CLUSTER_IPS:
        return KubernetesEvent("Warning", "not enough clusterips", refusal.message)
    if refusal.reason is Reason.NO_CLUSTER_IPS:
        return KubernetesEvent("Warning", "noclusterIPsIPFamily", refusal.message)
    if holds and refusal.reason is Reason.INVALID_REQUEST:
        return KubernetesEvent("Warning", "LoadBalancerFailed", refusal.message)
    text = f'Failed to allocate IP for "{service.key}": {refusal.message}'
    return KubernetesEvent("Warning", "AllocationFailed", text)


def _cleared(service: Service, lost: Refusal | None) -> tuple[KubernetesEvent, ...]:
    if lost is None:
        return ()
    text = (
        f'current IP for "{service.key}" not allowed by config, will attempt for new IP '
        f"assignment: {lost.message}"
    )
    return (KubernetesEvent("Normal", "ClearAssignment", text),)


def deprecated(annotation: str) -> KubernetesEvent:
    """Warn of an annotation of the old group."""
    new = _NEW_GROUP + annotation.removeprefix(_OLD_GROUP)
    text = f"annotation {annotation} is deprecated, use {new}"
    return KubernetesEvent("Warning", "deprecatedAnnotation", text)


def too_many(addresses: Addresses) -> KubernetesEvent:
    """Warn of a status with more than one address of a family."""
    text = f"status has more than one address of a family: {listed(addresses)}; one is kept"
    return KubernetesEvent("Warning", "nolbIPsIPFamily", text)


def _quoted(addresses: Iterable[IPAddress]) -> str:
    return "[" + " ".join(f'"{address}"' for address in addresses) + "]"
