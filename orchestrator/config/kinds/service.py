"""Service: what asks for an address and is announced (metallb.md 2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.config.faults import Faults, shown
from orchestrator.config.formats import parse_address
from orchestrator.config.item import Item
from orchestrator.config.schema import (
    Choice,
    Field,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Record,
    Scope,
    Text,
    Values,
)
from orchestrator.model.address import Family, IPAddress, family_of
from orchestrator.model.cluster import FamilyPolicy, Port, Service, ServiceKey, TrafficPolicy

_GROUP = "metallb.io/"
_DEPRECATED_GROUP = "metallb.universe.tf/"
_ANNOTATIONS = frozenset({"address-pool", "loadBalancerIPs", "allow-shared-ip"})
"""Annotations that a user sets; `ip-allocated-from-pool` is ours to write."""

_PORT = Record(
    (
        Field("port", Integer(1, 65535), "Port number.", required=True),
        Field("protocol", Choice(("TCP", "UDP", "SCTP")), "Protocol.", default="TCP"),
    ),
    lenient=True,
)
_SPEC = Record(
    (
        Field("type", Text(max_length=64), "Only LoadBalancer is served.", default="ClusterIP"),
        Field("loadBalancerIP", Text(max_length=253), "Address asked for.", default=""),
        Field("loadBalancerClass", Text(max_length=253), "Compared with --lb-class."),
        Field(
            "externalTrafficPolicy",
            Choice(tuple(policy.value for policy in TrafficPolicy)),
            "Local announces from nodes with an endpoint only.",
            default="Cluster",
        ),
        Field(
            "ipFamilyPolicy",
            Choice(tuple(policy.value for policy in FamilyPolicy)),
            "Whether one or two addresses are wanted.",
            default="SingleStack",
        ),
        Field("ipFamilies", ListOf(Text(max_length=8)), "The first is preferred.", default=()),
        Field("clusterIP", Text(max_length=64), "Decides the family.", default=""),
        Field("clusterIPs", ListOf(Text(max_length=64)), "Decide the families.", default=()),
        Field("selector", MapOf(Text()), "Compared for sharing under Local.", default={}),
        Field("ports", ListOf(_PORT), "Compared for sharing.", default=()),
    ),
    lenient=True,
)
_INGRESS = Record((Field("ip", Text(max_length=64), "Address held.", default=""),), lenient=True)
_LOAD_BALANCER = Record(
    (Field("ingress", ListOf(_INGRESS), "Addresses held.", default=()),), lenient=True
)
_STATUS = Record((Field("loadBalancer", _LOAD_BALANCER, "Addresses held."),), lenient=True)


def _parsed(texts: Iterable[str]) -> tuple[IPAddress, ...]:
    found: list[IPAddress] = []
    for text in texts:
        try:
            found.append(parse_address(text))
        except ValueError:
            continue
    return tuple(found)


def annotation(annotations: Mapping[str, str], name: str) -> str | None:
    """MetalLB's annotation `name`; its present spelling wins over the deprecated one."""
    return annotations.get(_GROUP + name, annotations.get(_DEPRECATED_GROUP + name))


def _deprecated(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """Annotations of the old group that MetalLB would read, by name."""
    return tuple(
        sorted(
            name
            for name in annotations
            if name.startswith(_DEPRECATED_GROUP)
            and name.removeprefix(_DEPRECATED_GROUP) in _ANNOTATIONS
        )
    )


def _families(cluster_ips: Iterable[str], listed: Sequence[str]) -> tuple[Family, ...]:
    """Families of the cluster IPs: the first of `ipFamilies` first, else IPv4 (metallb.md 3.3).

    The addresses themselves do not matter here, so that their notation does not either.
    """
    first = Family.IPV6 if listed[:1] == ("IPv6",) else Family.IPV4
    found = {
        Family.IPV6 if ":" in text else Family.IPV4
        for text in cluster_ips
        if text not in ("", "None")
    }
    return tuple(sorted(found, key=lambda family: (family is not first, family)))


def requested(annotations: Mapping[str, str], single: str) -> tuple[IPAddress, ...]:
    """Addresses a Service asks for. Raises ValueError when the request makes no sense."""
    several = annotation(annotations, "loadBalancerIPs") or ""
    if several and single:
        raise ValueError("both metallb.io/loadBalancerIPs and spec.loadBalancerIP are set")
    texts = [text.strip() for text in several.split(",")] if several else [single] if single else []
    addresses = tuple(_requested(text) for text in texts)
    if len(addresses) > 2:
        raise ValueError("more than two addresses are asked for")
    if len({family_of(address) for address in addresses}) < len(addresses):
        raise ValueError("two addresses of one family are asked for")
    return addresses


def _requested(text: str) -> IPAddress:
    try:
        return parse_address(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not an address: {error}") from None


def _request(item: Item, faults: Faults) -> tuple[tuple[IPAddress, ...], str | None]:
    single = item.body["spec"]["loadBalancerIP"]
    try:
        return requested(item.annotations, single), None
    except ValueError as error:
        path = ("spec", "loadBalancerIP") if single else ("metadata", "annotations")
        faults.warn(path, f"the request for an address: {error}", "invalidRequest")
        return (), str(error)


def _selector_text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _held(status: Values | None) -> tuple[IPAddress, ...]:
    if status is None or status["loadBalancer"] is None:
        return ()
    return _parsed(entry["ip"] for entry in status["loadBalancer"]["ingress"])


def _build(item: Item, faults: Faults) -> Service:
    spec = item.body["spec"]
    addresses, malformed = _request(item, faults) if spec["type"] == "LoadBalancer" else ((), None)
    return Service(
        key=ServiceKey(item.namespace, item.name),
        load_balancer=spec["type"] == "LoadBalancer",
        load_balancer_class=spec["loadBalancerClass"],
        labels=item.labels,
        traffic_policy=TrafficPolicy(spec["externalTrafficPolicy"]),
        family_policy=FamilyPolicy(spec["ipFamilyPolicy"]),
        families=_families(spec["clusterIPs"] or (spec["clusterIP"],), spec["ipFamilies"]),
        ports=frozenset(Port(entry["protocol"], entry["port"]) for entry in spec["ports"]),
        pod_selector=_selector_text(spec["selector"]),
        sharing_key=annotation(item.annotations, "allow-shared-ip") or "",
        requested_addresses=addresses,
        requested_pool=annotation(item.annotations, "address-pool") or None,
        malformed_request=malformed,
        ingress=_held(item.body["status"]),
        allocated_pool=annotation(item.annotations, "ip-allocated-from-pool"),
        deprecated_annotations=_deprecated(item.annotations),
        created=item.created,
        uid=item.uid,
    )


_NO_SPEC = {field.name: field.default for field in _SPEC.fields}

KIND = Kind(
    name="Service",
    group="",
    versions=("v1",),
    doc="A Service; those of type LoadBalancer get addresses and are announced.",
    body=Record(
        (Field("spec", _SPEC, default=_NO_SPEC), Field("status", _STATUS)),
        lenient=True,
    ),
    build=_build,
    scope=Scope.NAMESPACED,
)
