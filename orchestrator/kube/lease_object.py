"""The Lease as an object of the API server: read, and written (coordination.k8s.io/v1)."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.kube.lease import DURATION_S, Lease, WriteLease
from orchestrator.kube.resources import LEASES
from orchestrator.kube.writes import Write, create, patch

NAME = "orchestrator-controller"


class _Metadata(msgspec.Struct):
    version: str = msgspec.field(default="", name="resourceVersion")


class _Spec(msgspec.Struct):
    holder: str | None = msgspec.field(default=None, name="holderIdentity")
    duration_s: int | None = msgspec.field(default=None, name="leaseDurationSeconds")
    renewed: str | None = msgspec.field(default=None, name="renewTime")
    transitions: int | None = msgspec.field(default=None, name="leaseTransitions")


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


def decode_lease(text: bytes) -> Lease:
    """Read a Lease; raises `msgspec.MsgspecError` for what is none."""
    found = msgspec.json.decode(text, type=_Object)
    spec = found.spec
    return Lease(
        holder=spec.holder or "",
        duration_s=spec.duration_s or DURATION_S,
        renewed=spec.renewed or "",
        transitions=spec.transitions or 0,
        version=found.metadata.version,
    )


def lease_write(wanted: WriteLease, namespace: str, at: str) -> Write:
    """Return the request that makes or changes the Lease; `at` is the time of day (RFC 3339, µs)."""
    spec: dict[str, Any] = {
        "holderIdentity": wanted.holder or None,  # an empty one is refused
        "leaseDurationSeconds": round(DURATION_S),
        "leaseTransitions": wanted.transitions,
        "renewTime": at,
    }
    if wanted.fresh:
        spec["acquireTime"] = at
    if not wanted.version:
        return create(LEASES, namespace, {"metadata": {"name": NAME}, "spec": spec})
    body = {"metadata": {"resourceVersion": wanted.version}, "spec": spec}
    return patch(LEASES, namespace, NAME, body)
