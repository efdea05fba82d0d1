"""Endpoints and EndpointSlice: where a Service can be reached (metallb.md 2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import (
    Boolean,
    Field,
    Kind,
    ListOf,
    MapOf,
    Record,
    Scope,
    Text,
    Values,
)
from orchestrator.model.cluster import Endpoint, ServiceKey

SERVICE_LABEL = "kubernetes.io/service-name"
_HOSTNAME = "kubernetes.io/hostname"
_MANY = 100_000

_CONDITIONS = Record(
    (
        Field("ready", Boolean(), "Absent counts as ready."),
        Field("serving", Boolean(), "Still serving while it terminates."),
    ),
    lenient=True,
)
_ENDPOINT = Record(
    (
        Field("addresses", ListOf(Text()), "At least one is needed.", default=()),
        Field("conditions", _CONDITIONS, "Whether it can be used."),
        Field("nodeName", Text(max_length=253), "Node it is on."),
        Field("topology", MapOf(Text()), "Node it is on, in v1beta1.", default={}),
    ),
    lenient=True,
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Endpoints of a Service out of one object; `whole` when it is an Endpoints object."""

    service: ServiceKey
    endpoints: tuple[Endpoint, ...]
    whole: bool = False


def _usable(conditions: Values | None) -> bool:
    """MetalLB's serving test: ready absent or true, or serving true."""
    if conditions is None:
        return True
    return conditions["ready"] is not False or conditions["serving"] is True


def _endpoint(values: Values) -> Endpoint:
    node = values["nodeName"] or values["topology"].get(_HOSTNAME)
    return Endpoint(node, bool(values["addresses"]) and _usable(values["conditions"]))


def _build_slice(item: Item, faults: Faults) -> Slice | None:
    del faults
    service = item.labels.get(SERVICE_LABEL)
    if service is None:
        return None
    endpoints = tuple(_endpoint(values) for values in item.body["endpoints"])
    return Slice(ServiceKey(item.namespace, service), endpoints)


_ADDRESS = Record((Field("nodeName", Text(max_length=253), "Node it is on."),), lenient=True)
_SUBSET = Record(
    (
        Field("addresses", ListOf(_ADDRESS, max_items=_MANY), "Usable ones.", default=()),
        Field("notReadyAddresses", ListOf(_ADDRESS, max_items=_MANY), "Others.", default=()),
    ),
    lenient=True,
)


def _build_endpoints(item: Item, faults: Faults) -> Slice:
    del faults
    endpoints = tuple(
        Endpoint(address["nodeName"], usable)
        for subset in item.body["subsets"]
        for usable, name in ((True, "addresses"), (False, "notReadyAddresses"))
        for address in subset[name]
    )
    return Slice(ServiceKey(item.namespace, item.name), endpoints, whole=True)


ENDPOINT_SLICE = Kind(
    name="EndpointSlice",
    group="discovery.k8s.io",
    versions=("v1", "v1beta1"),
    doc="Endpoints of the Service in the label kubernetes.io/service-name.",
    body=Record(
        (Field("endpoints", ListOf(_ENDPOINT, max_items=_MANY), "The endpoints.", default=()),),
        lenient=True,
    ),
    build=_build_slice,
    scope=Scope.NAMESPACED,
)

ENDPOINTS = Kind(
    name="Endpoints",
    group="",
    versions=("v1",),
    doc="Endpoints of the Service of the same name; used when it has no EndpointSlice.",
    body=Record(
        (Field("subsets", ListOf(_SUBSET), "Addresses by readiness.", default=()),),
        lenient=True,
    ),
    build=_build_endpoints,
    scope=Scope.NAMESPACED,
)
