"""What is written to the API server, as values: a request each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from orchestrator.kube.resource import Resource

MERGE_PATCH = "application/merge-patch+json"
"""RFC 7396."""
_LABEL_LENGTH = 63
"""Longest value of a label."""

Document: TypeAlias = Mapping[str, Any]
"""An object as it is on the server, decoded from JSON."""


@dataclass(frozen=True, slots=True)
class Write:
    """One request. A newer write of a `label` replaces an older one that still waits."""

    label: str
    method: str
    path: str
    body: Mapping[str, Any] | None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Report:
    """An object that only tells of something: what it is known by, and its status.

    `owner` is the ownerReference of whatever it is to go with; None leaves that as it is.
    """

    resource: Resource
    namespace: str
    name: str
    labels: Mapping[str, str]
    status: Mapping[str, Any]
    owner: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """What writes of it are about."""
        return label_of(self.resource, self.namespace, self.name)


def label_of(resource: Resource, namespace: str, name: str, subresource: str = "") -> str:
    """Return what a write of an object, or of a part of it, is about."""
    home = f"{namespace}/" if namespace else ""
    part = f" {subresource}" if subresource else ""
    return f"{resource.kind} {home}{name}{part}"


def label_values(labels: Mapping[str, str]) -> dict[str, str]:
    """Return those of `labels` that the server takes: a node's name may be too long for one."""
    return {key: value for key, value in labels.items() if len(value) <= _LABEL_LENGTH}


def create(resource: Resource, namespace: str, body: Document) -> Write:
    """Make an object; its name is in `body`, which says no kind."""
    label = label_of(resource, namespace, body["metadata"]["name"])
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    whole = {"apiVersion": version, "kind": resource.kind, **body}
    return Write(label, "POST", replace(resource, namespace=namespace).path, whole)


def patch(
    resource: Resource, namespace: str, name: str, body: Document, subresource: str = ""
) -> Write:
    """Change an object, or a subresource of it, by a merge patch (RFC 7396)."""
    label = label_of(resource, namespace, name, subresource)
    path = resource.object_path(namespace, name, subresource)
    return Write(label, "PATCH", path, body, MERGE_PATCH)


def delete(resource: Resource, observed: Document) -> Write:
    """Delete an object, unless another has taken its name by then."""
    metadata = observed["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    label = label_of(resource, namespace, name)
    body = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": metadata["uid"]},
    }
    return Write(label, "DELETE", resource.object_path(namespace, name), body)


def report(wanted: Report, observed: Document | None) -> list[Write]:
    """Make the object be there as wanted; nothing when it is so already.

    The server drops the status of an object that is made, hence two writes.
    """
    resource, namespace, name = wanted.resource, wanted.namespace, wanted.name
    metadata: dict[str, Any] = {"labels": dict(wanted.labels)}
    if wanted.owner is not None:
        metadata["ownerReferences"] = [wanted.owner]
    found: list[Write] = []
    if observed is None:
        head = {"name": name, "namespace": namespace, **metadata}
        found.append(create(resource, namespace, {"metadata": head}))
    elif changed := difference(_known(observed["metadata"], metadata), metadata):
        found.append(patch(resource, namespace, name, {"metadata": changed}))
    before = (observed or {}).get("status") or {}
    if observed is None or (changed := difference(before, wanted.status)):
        status = wanted.status if observed is None else changed
        found.append(patch(resource, namespace, name, {"status": status}, "status"))
    return found


def _known(metadata: Document, wanted: Document) -> dict[str, Any]:
    """Return the parts of `metadata` that something is wanted of; strange labels may stay."""
    labels = metadata.get("labels") or {}
    ours = {key: labels[key] for key in wanted["labels"] if key in labels}
    owners = metadata.get("ownerReferences")
    return {"labels": ours, **({"ownerReferences": owners} if "ownerReferences" in wanted else {})}


def difference(old: Document, new: Document) -> dict[str, Any]:
    """Return the merge patch that makes `new` of `old` (RFC 7396); empty when they are equal.

    Neither has null values: a merge patch cannot write them.
    """
    found: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if below := difference(before, value):
                found[key] = below
        elif before != value:
            found[key] = value
    return found
