"""The objects of the reading bench: a cluster's, as a client prints them, and those of MetalLB."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.bench.objects import address_of

Objects = list[dict[str, Any]]

POOLS = 100
NODES = 100
ADVERTISEMENTS = 20
_SINCE = "2026-01-02T03:04:05Z"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def population(services: int) -> Objects:
    """Return Services with one EndpointSlice each, Nodes, pools, advertisements and a peer."""
    found = [*_configuration(), *(_node(number) for number in range(NODES))]
    for number in range(services):
        found += [_service(number), _slice(number)]
    return found


def as_yaml(objects: Objects) -> bytes:
    """Write one document for each object, in block style."""
    text: str = yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False, explicit_start=True)
    return text.encode()


def as_yaml_list(objects: Objects) -> bytes:
    """Write one List, as `kubectl get -o yaml` does."""
    text: str = yaml.dump(_list_of(objects), Dumper=_DUMPER, sort_keys=False)
    return text.encode()


def as_json(objects: Objects) -> bytes:
    """Write one List, as `kubectl get -o json` does."""
    return json.dumps(_list_of(objects), indent=4).encode()


def _list_of(objects: Objects) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def _ours(kind: str, name: str, spec: dict[str, Any], version: str = "v1beta1") -> dict[str, Any]:
    return {
        "apiVersion": f"metallb.io/{version}",
        "kind": kind,
        "metadata": {"name": name, "namespace": "metallb-system"},
        "spec": spec,
    }


def _configuration() -> Objects:
    peer = {"myASN": 64500, "peerASN": 64501, "peerAddress": "192.0.2.1"}
    pools = [
        _ours("IPAddressPool", f"p{number:03}", {"addresses": [f"198.18.{number}.0/24"]})
        for number in range(POOLS)
    ]
    share = POOLS // ADVERTISEMENTS
    advertisements = [
        _ours("BGPAdvertisement", f"a{number:02}", {"ipAddressPools": _names(number, share)})
        for number in range(ADVERTISEMENTS)
    ]
    return [_ours("BGPPeer", "r", peer, "v1beta2"), *pools, *advertisements]


def _names(number: int, share: int) -> list[str]:
    return [f"p{pool:03}" for pool in range(number * share, (number + 1) * share)]


def _node(number: int) -> dict[str, Any]:
    name = f"n{number:03}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "creationTimestamp": _SINCE,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": f"10.0.0.{number + 1}"}],
            "conditions": [
                {"type": kind, "status": "False", "lastTransitionTime": _SINCE}
                for kind in ("MemoryPressure", "DiskPressure", "NetworkUnavailable")
            ],
        },
    }


def _metadata(name: str, number: int, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "creationTimestamp": _SINCE,
        "labels": labels,
        "name": name,
        "namespace": f"team-{number % 50}",
        "resourceVersion": str(100_000 + number),
        "uid": f"5e0f3b52-6a1c-4a7e-9a3f-{number:012}",
    }


def _service(number: int) -> dict[str, Any]:
    name = f"s{number:05}"
    cluster_ip = f"10.96.{number // 250}.{number % 250 + 1}"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "annotations": {"metallb.io/ip-allocated-from-pool": f"p{number // 250 % POOLS:03}"},
            **_metadata(name, number, {"app": name}),
        },
        "spec": {
            "allocateLoadBalancerNodePorts": False,
            "clusterIP": cluster_ip,
            "clusterIPs": [cluster_ip],
            "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
            "selector": {"app": name},
            "sessionAffinity": "None",
            "type": "LoadBalancer",
        },
        "status": {"loadBalancer": {"ingress": [{"ip": address_of(number), "ipMode": "VIP"}]}},
    }


def _slice(number: int) -> dict[str, Any]:
    name = f"s{number:05}"
    endpoint = {
        "addresses": [f"10.244.{number % NODES}.{number % 250 + 1}"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": f"n{number % NODES:03}",
        "targetRef": {"kind": "Pod", "name": f"{name}-0", "namespace": f"team-{number % 50}"},
    }
    labels = {"app": name, "kubernetes.io/service-name": name}
    return {
        "addressType": "IPv4",
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": [endpoint],
        "kind": "EndpointSlice",
        "metadata": _metadata(f"{name}-x2k4d", number, labels),
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
