"""The world as the planner sees it: VirtualIPs made into Services, and what each node is like.

After this step the planner has one path: a VirtualIP is a Service with one endpoint on this host
that is ready while its check is good (DESIGN 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.model.address import family_of
from orchestrator.model.cluster import (
    HOSTNAME_LABEL,
    Cluster,
    Endpoint,
    Node,
    Port,
    Service,
    ServiceKey,
)
from orchestrator.model.local import Local
from orchestrator.model.virtual_ip import Health, OnDown, PathByHealth, VirtualIP

VIRTUAL_IP_NAMESPACE = "virtualip"


@dataclass(frozen=True, slots=True)
class World:
    """Services with their endpoints, nodes, and attributes by state of health.

    `nodes` are those planned for, `members` all that are known.
    """

    services: Mapping[ServiceKey, Service]
    endpoints: Mapping[ServiceKey, tuple[Endpoint, ...]]
    nodes: tuple[Node, ...]
    members: tuple[Node, ...]
    paths: Mapping[ServiceKey, PathByHealth]
    health: Mapping[ServiceKey, Health]


def virtual_ip_key(name: str) -> ServiceKey:
    """Key of the Service that a VirtualIP becomes."""
    return ServiceKey(VIRTUAL_IP_NAMESPACE, name)


def see(cluster: Cluster, local: Local) -> World:
    """Make the planner's view of `cluster` from where `local` stands."""
    keys = {name: virtual_ip_key(name) for name in cluster.virtual_ips}
    health = {
        keys[name]: local.health.get(name, Health.UP)
        for name, vip in cluster.virtual_ips.items()
        if vip.check is not None
    }
    vips = {keys[name]: vip for name, vip in cluster.virtual_ips.items()}
    return World(
        services={**cluster.services, **{key: _service(key, vip) for key, vip in vips.items()}},
        endpoints={
            **cluster.endpoints,
            **{key: (_endpoint(vip, health.get(key, Health.UP)),) for key, vip in vips.items()},
        },
        nodes=_nodes(cluster, local),
        members=_members(cluster, local),
        paths={
            key: vip.paths[health.get(key, Health.UP)]
            for key, vip in vips.items()
            if health.get(key, Health.UP) in vip.paths
        },
        health=health,
    )


def _service(key: ServiceKey, vip: VirtualIP) -> Service:
    """VIPs that name their address may share it, as long as they serve different ports."""
    return Service(
        key=key,
        labels=vip.labels,
        families=tuple(sorted({family_of(address) for address in vip.addresses})),
        ports=frozenset(Port(protocol, number) for protocol, number in vip.ports),
        sharing_key=VIRTUAL_IP_NAMESPACE if vip.ports and vip.addresses else "",
        requested_addresses=vip.addresses,
        requested_pool=vip.pool,
        created=vip.created,
    )


def _endpoint(vip: VirtualIP, health: Health) -> Endpoint:
    usable = health is Health.UP or vip.on_down is OnDown.DEMOTE
    return Endpoint(node=None, usable=usable)


def _nodes(cluster: Cluster, local: Local) -> tuple[Node, ...]:
    if local.node is None:
        return tuple(cluster.nodes[name] for name in sorted(cluster.nodes))
    return (cluster.nodes.get(local.node) or _unknown(local.node),)


def _unknown(name: str) -> Node:
    """Return a node of which there is no object."""
    return Node(name, labels={HOSTNAME_LABEL: name})


def _members(cluster: Cluster, local: Local) -> tuple[Node, ...]:
    known = cluster.nodes
    if local.node is not None and local.node not in known:
        known = {**known, local.node: _unknown(local.node)}
    return tuple(known[name] for name in sorted(known))
