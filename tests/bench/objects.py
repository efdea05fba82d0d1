"""Configuration files of the benches: the least that announces, and Services in any number."""

from __future__ import annotations

from pathlib import Path

BASE = """
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: r, namespace: metallb-system}
spec: {myASN: 64500, peerASN: 64500, peerAddress: 10.0.0.1}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge, namespace: metallb-system}
spec: {addresses: [198.51.100.0/24, 198.18.0.0/15]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: all, namespace: metallb-system}
"""
VIP = """
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: {name}}}
spec: {{addresses: ["{address}"]{extra}}}
"""
SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{number:05}, namespace: default}}
spec: {{type: LoadBalancer, clusterIP: 10.96.0.1, ports: [{{port: 80, protocol: TCP}}]}}
status: {{loadBalancer: {{ingress: [{{ip: {address}}}]}}}}
"""
SLICE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{number:05}-1, namespace: default, labels: {{kubernetes.io/service-name: s{number:05}}}}}
addressType: IPv4
endpoints: [{{addresses: [10.1.0.1], nodeName: box, conditions: {{ready: {ready}}}}}]
"""
TOGETHER = 100
"""Services in one file."""


def address_of(number: int) -> str:
    """Give the address of a numbered Service, out of the benchmark range of RFC 2544."""
    return f"198.18.{number // 250}.{number % 250 + 1}"


def vip(name: str, address: str, extra: str = "") -> str:
    """Text of a VirtualIP."""
    return VIP.format(name=name, address=address, extra=extra)


def service(number: int) -> str:
    """Text of a Service that has its address."""
    return SERVICE.format(number=number, address=address_of(number))


def endpoints(number: int, *, ready: bool = True) -> str:
    """Text of a Service's only EndpointSlice."""
    return SLICE.format(number=number, ready="true" if ready else "false")


def write_services(directory: Path, count: int) -> None:
    """Write Services with their EndpointSlices, `TOGETHER` in a file."""
    for first in range(0, count, TOGETHER):
        numbers = range(first, min(first + TOGETHER, count))
        text = "".join(service(number) + endpoints(number) for number in numbers)
        (directory / f"services-{first:05}.yaml").write_text(text, encoding="utf-8")
