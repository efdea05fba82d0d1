"""ServiceL2Status and ServiceBGPStatus: which node announces a Service, and where.

As MetalLB writes them (metallb.md 1.7), but with names that follow from node and Service, so that a
restarted speaker finds its own again. Those that another program made for the node are replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from orchestrator.kube.configuration_state import SPEAKER_PREFIX
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    CONFIGURATION_STATES,
    SERVICE_BGP_STATUSES,
    SERVICE_L2_STATUSES,
    SPEAKER_STATES,
    WRITTEN_BY_NODES,
)
from orchestrator.kube.writes import Document, Report, Write, delete, label_values, report
from orchestrator.model.cluster import ServiceKey

NODE_LABEL = "metallb.io/node"
SERVICE_LABEL, NAMESPACE_LABEL = "metallb.io/service-name", "metallb.io/service-namespace"
_PREFIXES = {SERVICE_L2_STATUSES: "l2-", SERVICE_BGP_STATUSES: "bgp-"}
_DIGITS = 20
_KINDS = {one.kind: one for one in WRITTEN_BY_NODES}


def l2_writes(
    node: str,
    namespace: str,
    wanted: Mapping[ServiceKey, Collection[str] | None],
    observed: Iterable[Document],
    owner: Mapping[str, Any] | None = None,
) -> list[Write]:
    """Return the writes that make `node`'s ServiceL2Statuses say what it answers for.

    `wanted` has the interfaces by Service; None, or none at all, means all. `observed` are the
    objects that are there; those of other nodes and kinds are left alone. `owner` is an
    ownerReference to the speaker's pod.
    """
    resource = SERVICE_L2_STATUSES
    reports = [
        _report(resource, namespace, node, key, {"interfaces": _named(names or ())}, owner=owner)
        for key, names in wanted.items()
    ]
    return _writes(resource, node, reports, observed)


def _named(interfaces: Collection[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in sorted(interfaces)]


def bgp_writes(
    node: str,
    namespace: str,
    wanted: Mapping[ServiceKey, Collection[str]],
    observed: Iterable[Document],
    owner: Mapping[str, Any] | None = None,
) -> list[Write]:
    """Return the writes that make `node`'s ServiceBGPStatuses say to which peers it announces.

    As `l2_writes`, but `wanted` has the names of the BGPPeers.
    """
    resource = SERVICE_BGP_STATUSES
    reports = [
        _report(resource, namespace, node, key, {"peers": sorted(names)}, owner=owner)
        for key, names in wanted.items()
    ]
    return _writes(resource, node, reports, observed)


def status_name(resource: Resource, node: str, service: ServiceKey) -> str:
    """Return the name of the object about `service` on `node`."""
    digest = hashlib.sha256(f"{node}/{service}".encode()).hexdigest()
    return _PREFIXES[resource] + digest[:_DIGITS]


def _report(
    resource: Resource,
    namespace: str,
    node: str,
    key: ServiceKey,
    detail: Mapping[str, Any],
    *,
    owner: Mapping[str, Any] | None,
) -> Report:
    labels = {NODE_LABEL: node, SERVICE_LABEL: key.name, NAMESPACE_LABEL: key.namespace}
    status = {"node": node, "serviceName": key.name, "serviceNamespace": key.namespace, **detail}
    name = status_name(resource, node, key)
    return Report(resource, namespace, name, label_values(labels), status, owner)


def _writes(
    resource: Resource, node: str, reports: Iterable[Report], observed: Iterable[Document]
) -> list[Write]:
    """Make the reports be there, and no other of the node."""
    of_kind = (one for one in observed if one.get("kind", resource.kind) == resource.kind)
    rest = {one["metadata"]["name"]: one for one in of_kind}
    found = [write for told in reports for write in report(told, rest.pop(told.name, None))]
    gone = (one for one in rest.values() if node_of(one) == node)
    return [*found, *(delete(resource, one) for one in gone)]


def node_of(observed: Document) -> str | None:
    """Return the node that an object tells of; None when it does not say."""
    metadata = observed["metadata"]
    if observed.get("kind") == SPEAKER_STATES.kind:
        return str(metadata["name"])
    if observed.get("kind") == CONFIGURATION_STATES.kind:
        name = str(metadata["name"])
        return name.removeprefix(SPEAKER_PREFIX) if name.startswith(SPEAKER_PREFIX) else None
    told = (metadata.get("labels") or {}).get(NODE_LABEL)
    return told or (observed.get("status") or {}).get("node")


def of_gone_nodes(observed: Iterable[Document], nodes: Collection[str]) -> list[Write]:
    """Return the writes that delete what nodes left which are not among `nodes`.

    `observed` are objects of all kinds that a speaker writes of its node.
    """
    return [
        delete(_KINDS[one["kind"]], one)
        for one in observed
        if (node := node_of(one)) is not None and node not in nodes
    ]
