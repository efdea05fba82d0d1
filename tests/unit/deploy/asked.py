"""The rights that the code asks for: of what it watches, and of the writes that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from orchestrator.kube import configuration_state, lease_object, speaker_state
from orchestrator.kube.announced_status import bgp_writes, l2_writes, of_gone_nodes
from orchestrator.kube.events import event_write, service_reference
from orchestrator.kube.lease import WriteLease
from orchestrator.kube.member_key import member_key_write
from orchestrator.kube.pool_status import PoolCounts, pool_write
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    LEASES,
    WRITTEN_BY_NODES,
    watched_by_controller,
    watched_by_speaker,
    written_by_nodes,
)
from orchestrator.kube.service_status import service_write
from orchestrator.kube.writes import Write
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState, KubernetesEvent
from tests.unit.deploy.manifests import CONTROLLER, NAMESPACE, SPEAKER, Right

NODE = "n1"
KEY = ServiceKey("default", "web")
AT = "2026-01-01T00:00:00Z"
VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}
_SELECTS_NAME = "metadata.name="
_LEASE = replace(LEASES, namespace=NAMESPACE, field_selector=f"{_SELECTS_NAME}{lease_object.NAME}")
_OWN = {("leases", lease_object.NAME), ("configurationstates", configuration_state.CONTROLLER)}
"""Objects that have the same name in every cluster, so that a right can name them."""

WATCHED = {
    CONTROLLER: (
        *watched_by_controller(NAMESPACE),
        *written_by_nodes(NAMESPACE),
        _LEASE,
    ),
    SPEAKER: (*watched_by_speaker(NAMESPACE), *written_by_nodes(NAMESPACE)),
}


def stored(kind: str, name: str, **labels: str) -> dict[str, Any]:
    """An object that is there, with labels of another writer."""
    metadata = {"name": name, "namespace": NAMESPACE, "uid": "1", "labels": labels}
    return {"kind": kind, "metadata": metadata, "status": {}}


def _both(name: str) -> list[Write]:
    """Make a ConfigurationState, and change one that differs in everything."""
    there = stored("ConfigurationState", name)
    return [
        write
        for known in (None, there)
        for write in configuration_state.write(NAMESPACE, name, (), known, at=AT)
    ]


def controller_writes() -> list[Write]:
    """One of each write that a controller makes, and its Lease's."""
    service = Service(KEY)
    assignment = Assignment(KEY, AssignmentState.ASSIGNED, (ip_address("192.0.2.1"),), "edge")
    about, event = service_reference(service, "1"), KubernetesEvent("Normal", "IPAllocated", "x")
    left = [stored(one.kind, "speaker-gone") for one in WRITTEN_BY_NODES]
    for one in left:
        one["status"]["node"] = "gone"
    writes = [
        service_write(service, "1", assignment),
        event_write(about, event, CONTROLLER, "pod", at=AT, suffix="1"),
        member_key_write(NAMESPACE, b"key"),
        pool_write(NAMESPACE, "edge", PoolCounts(), None),
        *_both(configuration_state.CONTROLLER),
        *of_gone_nodes(left, [NODE]),
        *(
            lease_object.lease_write(WriteLease("a", 0, fresh=True, version=version), NAMESPACE, AT)
            for version in ("", "1")
        ),
    ]
    return [one for one in writes if one is not None]


def speaker_writes() -> list[Write]:
    """One of each write that a speaker makes of its node."""
    state = speaker_state.SpeakerReport(NODE, "1")
    reports = [*_both(configuration_state.speaker_name(NODE))]
    reports += speaker_state.write(NAMESPACE, state, None, AT)
    for kind, made in (("ServiceL2Status", l2_writes), ("ServiceBGPStatus", bgp_writes)):
        new = made(NODE, NAMESPACE, {KEY: ["x"]}, [])
        name = str(new[0].body["metadata"]["name"]) if new[0].body else ""
        other = stored(kind, "other", **{"metallb.io/node": NODE})
        reports += new + made(NODE, NAMESPACE, {KEY: ["x"]}, [stored(kind, name), other])
    return reports


WRITES = {CONTROLLER: controller_writes(), SPEAKER: speaker_writes()}


def asked(account: str) -> set[Right]:
    """Return all rights that a role needs."""
    read = {right for one in WATCHED[account] for right in reading(one)}
    return read | {writing(one) for one in WRITES[account]}


def reading(resource: Resource) -> Iterable[Right]:
    """Return the rights to list and to watch it."""
    selector = resource.field_selector
    name = selector.removeprefix(_SELECTS_NAME) if selector.startswith(_SELECTS_NAME) else ""
    place = f"{resource.group}/{resource.plural}"
    return [Right(verb, place, resource.namespace is None, name) for verb in ("list", "watch")]


def writing(write: Write) -> Right:
    """Return the right that a request needs (its path is that of an API server)."""
    parts = write.path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    _, namespace, plural, *name = rest
    verb = VERBS[write.method]
    own = verb == "patch" and (plural, name[0]) in _OWN
    subresource = "/status" if name[1:] else ""
    resource = f"{group}/{plural}{subresource}"
    return Right(verb, resource, namespace != NAMESPACE, name[0] if own else "")
