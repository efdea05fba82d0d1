"""Small worlds for planner tests: one line for each thing that matters."""

from __future__ import annotations

import ipaddress
from typing import Any

from orchestrator.model.address import AddressRange, Family, IPAddress
from orchestrator.model.cluster import Cluster, Endpoint, Node, Service, ServiceKey
from orchestrator.model.policy import BGPAdvertisement, Peer, Policy, Pool


def ip(text: str) -> IPAddress:
    """Read an address."""
    return ipaddress.ip_address(text)


def pool(name: str, *ranges: str, **fields: Any) -> Pool:
    """Make a pool of CIDRs."""
    networks = [ipaddress.ip_network(text) for text in ranges]
    return Pool(
        name,
        tuple(AddressRange(n.network_address, n.broadcast_address, n.prefixlen) for n in networks),
        **fields,
    )


def service(name: str, *ingress: str, **fields: Any) -> Service:
    """Make an IPv4 Service of type LoadBalancer that has `ingress` already."""
    fields.setdefault("families", (Family.IPV4,))
    return Service(ServiceKey("default", name), ingress=tuple(map(ip, ingress)), **fields)


def cluster(*services: Service, nodes: tuple[Node, ...] = (Node("n1"),), **fields: Any) -> Cluster:
    """Make a cluster in which every Service has a ready endpoint on every node."""
    endpoints = tuple(Endpoint(node.name, usable=True) for node in nodes)
    fields.setdefault("endpoints", {s.key: endpoints for s in services})
    return Cluster(
        services={s.key: s for s in services}, nodes={node.name: node for node in nodes}, **fields
    )


R1 = Peer("r1", 64500, 64500, ip("192.0.2.1"))
EXTERNAL = Peer("ext", 64500, 64999, ip("198.51.100.1"))
POOL = pool("edge", "203.0.113.0/24")


def policy(
    *advertisements: BGPAdvertisement,
    pools: tuple[Pool, ...] = (POOL,),
    peers: tuple[Peer, ...] = (R1,),
    **fields: Any,
) -> Policy:
    """Make a policy; without `advertisements` everything is advertised."""
    return Policy(pools, advertisements or (BGPAdvertisement("all"),), peers, **fields)
