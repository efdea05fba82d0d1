"""The status of a Service: the addresses it has, and the pool they are of (metallb.md 2.1, 3.2)."""

from __future__ import annotations

from typing import Any

from orchestrator.kube.resources import SERVICES
from orchestrator.kube.writes import Write, patch
from orchestrator.model.cluster import Service
from orchestrator.model.plan import Assignment, AssignmentState

POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool"
_OLD_POOL_ANNOTATION = "metallb.universe.tf/ip-allocated-from-pool"
"""Read too, so that it has to go where there is no pool."""


def service_write(service: Service, version: str, assignment: Assignment) -> Write | None:
    """Return the write that gives `service` its assignment; None when it has it.

    `version` is the resourceVersion that `service` was read at: if it is not the server's any more,
    the write is refused (409). Addresses and annotation go together in one write. The order of
    addresses alone is no difference, nor is what the server adds to them (`ipMode`).
    """
    if assignment.state is AssignmentState.IGNORED or _has(service, assignment):
        return None
    annotations: dict[str, str | None] = {POOL_ANNOTATION: assignment.pool}
    if assignment.pool is None:
        annotations[_OLD_POOL_ANNOTATION] = None
    ingress: list[dict[str, Any]] = [{"ip": str(address)} for address in assignment.addresses]
    body = {
        "metadata": {"resourceVersion": version, "annotations": annotations},
        "status": {"loadBalancer": {"ingress": ingress or None}},
    }
    return patch(SERVICES, service.key.namespace, service.key.name, body, "status")


def _has(service: Service, assignment: Assignment) -> bool:
    held, wanted = service.ingress, assignment.addresses
    same = len(held) == len(wanted) and set(held) == set(wanted)
    return same and service.allocated_pool == assignment.pool
