"""Events of Kubernetes, as the recorder of client-go writes them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.kube.resources import EVENTS, SERVICES
from orchestrator.kube.writes import Write, create
from orchestrator.model.cluster import Service
from orchestrator.model.plan import KubernetesEvent

MESSAGE_BYTES = 1024
_CUT = "..."
_NAME_LENGTH = 253
"""Longest name of an object (RFC 1123 subdomain)."""
_HOME = "default"
"""Where Events about objects of the cluster are."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The object that an Event is about; `namespace` is empty for one of the cluster."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str = ""
    version: str = ""


def service_reference(service: Service, version: str) -> Reference:
    """Refer to a Service as it was read at `version`."""
    return Reference(
        SERVICES.kind, SERVICES.version, *service.key, uid=service.uid, version=version
    )


def event_write(
    about: Reference, event: KubernetesEvent, component: str, host: str, *, at: str, suffix: str
) -> Write:
    """Return the write of one Event, by `component` on `host`.

    `at` is the time (RFC 3339). `suffix` sets its name apart from those of all others.
    """
    namespace = about.namespace or _HOME
    body = {
        "metadata": {"name": _name(about.name, suffix), "namespace": namespace},
        "involvedObject": _document(about),
        "type": event.type,
        "reason": event.reason,
        "message": limited(event.message),
        "source": {"component": component, "host": host},
        "reportingComponent": component,
        "reportingInstance": host,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    return create(EVENTS, namespace, body)


def _document(about: Reference) -> dict[str, str]:
    """Return the reference as the server knows it; what is not known is left out."""
    fields = {
        "kind": about.kind,
        "apiVersion": about.api_version,
        "namespace": about.namespace,
        "name": about.name,
        "uid": about.uid,
        "resourceVersion": about.version,
    }
    return {key: value for key, value in fields.items() if value}


def _name(name: str, suffix: str) -> str:
    return f"{name[: _NAME_LENGTH - 1 - len(suffix)].rstrip('.-')}.{suffix}"


def limited(message: str) -> str:
    """Cut `message` to as many bytes as an Event may have, between two characters."""
    text = message.encode()
    if len(text) <= MESSAGE_BYTES:
        return message
    return text[: MESSAGE_BYTES - len(_CUT)].decode(errors="ignore") + _CUT
