"""Objects that the Kubernetes lab and its users make, and the paths of their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.lab.kube_topology import NODE_AS, ROUTER_ADDRESS, ROUTER_ADDRESS6, ROUTER_AS

Object = dict[str, Any]

HOME = "metallb-system"
"""Namespace of the configuration."""
POD_PORT = 8080
SERVICE_NAME = "kubernetes.io/service-name"
_METALLB = "/apis/metallb.io/v1beta1/namespaces/{}/"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "IPAddressPool": _METALLB + "ipaddresspools",
    "BGPAdvertisement": _METALLB + "bgpadvertisements",
    "L2Advertisement": _METALLB + "l2advertisements",
    "ServiceL2Status": _METALLB + "servicel2statuses",
    "BGPPeer": "/apis/metallb.io/v1beta2/namespaces/{}/bgppeers",
    "Settings": "/apis/orchestrator.io/v1alpha1/namespaces/{}/settings",
    "SpeakerState": "/apis/orchestrator.io/v1alpha1/namespaces/{}/speakerstates",
}
_IN_DEFAULT = ("Service", "EndpointSlice")


def path(kind: str, name: str = "", namespace: str = "") -> str:
    """Path of an object at the API server, or of all of its kind.

    Without `namespace` Services and EndpointSlices are in `default`, configuration in HOME.
    """
    place = namespace or ("default" if kind in _IN_DEFAULT else HOME)
    collection = _PATHS[kind].format(place)
    return f"{collection}/{name}" if name else collection


def _of(version: str, kind: str, name: str, spec: Mapping[str, Any]) -> Object:
    metadata = {"name": name, "namespace": HOME}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def pool(name: str, *addresses: str, **spec: Any) -> Object:
    """Make an IPAddressPool."""
    return _of("metallb.io/v1beta1", "IPAddressPool", name, {"addresses": addresses, **spec})


def bgp_advertisement(name: str, *pools: str, **spec: Any) -> Object:
    """Make a BGPAdvertisement of pools, of all when none is named."""
    wanted = {"ipAddressPools": pools, **spec} if pools else spec
    return _of("metallb.io/v1beta1", "BGPAdvertisement", name, wanted)


def l2_advertisement(name: str, *pools: str, **spec: Any) -> Object:
    """Make an L2Advertisement of pools, of all when none is named."""
    wanted = {"ipAddressPools": pools, **spec} if pools else spec
    return _of("metallb.io/v1beta1", "L2Advertisement", name, wanted)


def peers(hold_time: str = "9s") -> list[Object]:
    """Make the lab's router a BGPPeer, once for each family."""
    common = {"myASN": NODE_AS, "peerASN": ROUTER_AS, "holdTime": hold_time}
    addresses = {"r1": ROUTER_ADDRESS, "r1-ipv6": ROUTER_ADDRESS6}
    return [
        _of("metallb.io/v1beta2", "BGPPeer", name, {**common, "peerAddress": address})
        for name, address in addresses.items()
    ]


def service(
    name: str,
    *,
    namespace: str = "default",
    annotations: Mapping[str, str] | None = None,
    port: int = 80,
    **spec: Any,
) -> Object:
    """Make a Service that wants an address; its endpoints are pods of `kube_pods`."""
    wanted = {
        "type": "LoadBalancer",
        "allocateLoadBalancerNodePorts": False,
        "ports": [{"port": port, "targetPort": POD_PORT}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(annotations or {})},
        "spec": {**wanted, **spec},
    }


def node(name: str, addresses: Sequence[str]) -> Object:
    """Make a Node whose InternalIPs are `addresses`."""
    found = [{"type": "InternalIP", "address": address} for address in addresses]
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    ready = {"type": "Ready", "status": "True", "reason": "Lab", "message": "is up"}
    status = {"addresses": found, "conditions": [ready]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def endpoint(address: str, node: str, *, ready: bool) -> Object:
    """Make one endpoint of an EndpointSlice."""
    conditions = {"ready": ready, "serving": ready, "terminating": False}
    return {"addresses": [address], "nodeName": node, "conditions": conditions}


def endpoint_slice(
    service_name: str, family: str, endpoints: Sequence[Object], namespace: str = "default"
) -> Object:
    """Make a Service's only EndpointSlice of a family, `IPv4` or `IPv6`."""
    name = f"{service_name}-{family.lower()}"
    labels = {SERVICE_NAME: service_name}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "addressType": family,
        "endpoints": list(endpoints),
        "ports": [{"name": "", "port": POD_PORT, "protocol": "TCP"}],
    }
