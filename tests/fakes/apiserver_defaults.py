"""What the API server itself fills into Services, takes out of them, and refuses; node ports are left out."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.fakes.apiserver_kinds import Object

_OF_LOAD_BALANCERS = ("allocateLoadBalancerNodePorts", "loadBalancerClass")
_DUAL = ("PreferDualStack", "RequireDualStack")
_ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def fill_service(document: Object, before: Object | None, number: int) -> None:
    """Fill the spec in; what was allocated before stays, and `number` gives it an address."""
    spec = document.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])
    if spec["type"] == "ExternalName":
        return
    for key in _ALLOCATED:
        if before and key not in spec and key in before["spec"]:
            spec[key] = before["spec"][key]
    _allocate(spec, number)
    _fill_by_type(spec, before)


def _allocate(spec: Object, number: int) -> None:
    if not spec.get("clusterIP"):
        spec["clusterIP"] = str(ipaddress.IPv4Address("10.96.0.0") + number)
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    both = spec["ipFamilyPolicy"] in _DUAL and spec["clusterIP"] != "None"
    second = str(ipaddress.IPv6Address("fd00:10:96::") + number)
    spec.setdefault("clusterIPs", [spec["clusterIP"], *([second] if both else [])])
    family = "IPv6" if ":" in spec["clusterIP"] else "IPv4"
    spec.setdefault("ipFamilies", [family, *(["IPv6"] if both else [])])
    spec.setdefault("internalTrafficPolicy", "Cluster")


def _fill_by_type(spec: Object, before: Object | None) -> None:
    if spec["type"] in ("LoadBalancer", "NodePort"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    elif before:
        spec.pop("externalTrafficPolicy", None)
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    elif before:
        for key in _OF_LOAD_BALANCERS:
            spec.pop(key, None)


def fill_service_status(document: Object) -> None:
    """Say of each address that it is a VIP: done only where the written object is a load balancer."""
    document["status"] = document.get("status") or {}
    document["status"]["loadBalancer"] = document["status"].get("loadBalancer") or {}
    if document["spec"]["type"] == "LoadBalancer":
        for entry in _ingress(document):
            if "ip" in entry:
                entry.setdefault("ipMode", "VIP")


def clear_service_status(document: Object) -> None:
    """Take the addresses away from what is no load balancer."""
    if document["spec"]["type"] != "LoadBalancer":
        document["status"] = {"loadBalancer": {}}


def faults_of_service_status(document: Object) -> str:
    """Say what is wrong with a status; empty when nothing is."""
    where = "status.loadBalancer.ingress"
    if _ingress(document) and document["spec"]["type"] != "LoadBalancer":
        return f"{where}: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"
    for number, entry in enumerate(_ingress(document)):
        if "ip" in entry and not _is_address(entry["ip"]):
            return f"{where}[{number}].ip: Invalid value: must be a valid IP address"
        if "ip" in entry and "ipMode" not in entry:
            return f"{where}[{number}].ipMode: Required value: must be specified when `ip` is set"
    return ""


def faults_of_event(document: Object) -> str:
    """Say what is wrong with an Event: those about objects of the cluster belong into `default`."""
    about = document.get("involvedObject", {}).get("namespace", "")
    home = document["metadata"]["namespace"]
    if about == home or (not about and home == "default"):
        return ""
    return f"involvedObject.namespace: Invalid value: {about!r}: does not match event.namespace"


def _ingress(document: Object) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = document["status"]["loadBalancer"].get("ingress") or []
    return entries


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
