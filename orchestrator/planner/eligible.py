"""Eligibility: may this node announce, and which advertisements apply (metallb.md 5.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from typing import TypeVar

from orchestrator.model.address import Family
from orchestrator.model.cluster import EXCLUDE_LABEL, Endpoint, Node, Service, TrafficPolicy
from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.plan import Reason
from orchestrator.model.policy import Advertisement, BGPAdvertisement
from orchestrator.model.selector import matches_any
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE

Answer = tuple[Reason, str]
"""A reason and its words."""


def node_away(node: Node, local: Local, draining: Collection[str]) -> Answer | None:
    """Say why the node as a whole is out: dead or drained; this comes before all else.

    `draining` are nodes that drain by their annotation. How far this node has got it knows itself.
    """
    if node.name in local.down:
        return Reason.MEMBER_DOWN, f"node {node.name} is down"
    here = local.node == node.name
    if local.drain is DrainPhase.WITHDRAWN if here else node.name in draining:
        since = f" since {node.drain}" if node.drain else ""
        return Reason.DRAINING, f"node {node.name} is drained{since}"
    return None


def node_unfit(node: Node, local: Local) -> Answer | None:
    """Say why the node may not announce by its conditions and labels."""
    if node.network_unavailable:
        return Reason.NODE_NETWORK_UNAVAILABLE, "the node has NetworkUnavailable=True"
    if node.excluded and not local.ignore_exclude_label:
        text = f"the node has the label {EXCLUDE_LABEL}"
        return Reason.NODE_LABELED_EXCLUDE_BALANCERS, text
    return None


A = TypeVar("A", bound=Advertisement)


def select_for_node(advertisements: Iterable[A], node: Node) -> tuple[A, ...]:
    """Return the advertisements whose nodeSelectors match `node`."""
    return tuple(a for a in advertisements if matches_any(a.node_selectors, node.labels))


def select_for_service(advertisements: Iterable[A], service: Service) -> tuple[A, ...]:
    """Return the advertisements whose serviceSelectors match `service`."""
    return tuple(a for a in advertisements if matches_any(a.service_selectors, service.labels))


def no_advertisement(service: Service, covering: Sequence[Advertisement], pool: str) -> Answer:
    """Say which selector left `service` without an advertisement on a node.

    The words are the same for every node, so that those of many can be said once.
    """
    if not covering:
        text = f"no BGPAdvertisement or L2Advertisement covers pool {pool}"
        return Reason.NO_MATCHING_ADVERTISEMENT, text
    names = f"{type(covering[0]).__name__} " + ", ".join(a.name for a in covering)
    if not select_for_service(covering, service):
        text = f"{names}: serviceSelectors do not match {service.key}"
    else:
        text = f"{names}: nodeSelectors do not match the labels of the node"
    return Reason.NO_MATCHING_ADVERTISEMENT, text


def conflict(
    advertisements: Iterable[BGPAdvertisement], families: Sequence[Family]
) -> Answer | None:
    """Find two advertisements that give one route different local preferences (metallb.md 1.2).

    `families` are those of the pool: a clash in one of them stops the Service as a whole.
    """
    for one, other in combinations(advertisements, 2):
        if one.local_pref == other.local_pref:
            continue
        same_route = any(one.aggregation(f) == other.aggregation(f) for f in families)
        disjoint = bool(one.peers and other.peers) and not one.peers & other.peers
        if same_route and not disjoint:
            text = f"{one.name} and {other.name} give different localPref to the same route"
            return Reason.CONFLICTING_ADVERTISEMENTS, text
    return None


def nodes_with_endpoints(endpoints: Iterable[Endpoint]) -> set[str | None]:
    """Return the nodes that have an endpoint which can take traffic."""
    return {endpoint.node for endpoint in endpoints if endpoint.usable}


def endpoints_nowhere(service: Service, endpoints: Iterable[Endpoint]) -> Answer | None:
    """Say why traffic could be taken nowhere at all (metallb.md 2.3)."""
    for endpoint in endpoints:
        if endpoint.usable:
            return None
    if service.key.namespace == VIRTUAL_IP_NAMESPACE:
        return Reason.UNHEALTHY, f"the check of {service.key} fails"
    return Reason.NO_ENDPOINTS, f"{service.key} has no ready endpoint"


def endpoints_missing(
    service: Service, endpoints: tuple[Endpoint, ...], node: Node
) -> Answer | None:
    """Say why no endpoint can take the traffic that `node` would attract (metallb.md 2.3)."""
    if service.traffic_policy is not TrafficPolicy.LOCAL:
        return endpoints_nowhere(service, endpoints)
    if node.name in nodes_with_endpoints(endpoints):
        return None
    text = "externalTrafficPolicy is Local and the node has no ready endpoint"
    return Reason.NO_LOCAL_ENDPOINTS, text
