"""Bind before announce, unbind after withdraw: what may go out, and what must stay bound."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from orchestrator.model.address import IPAddress, IPNetwork
from orchestrator.model.plan import Plan
from orchestrator.model.route import Rib
from orchestrator.model.virtual_router import VirtualRouter
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE


def unbound(plan: Plan, bound: Collection[IPAddress]) -> frozenset[IPAddress]:
    """Return the addresses that must be bound before they may be announced."""
    return frozenset(plan.bindings) - frozenset(bound)


def hold_back(
    ribs: Mapping[str, Rib], plan: Plan, missing: Collection[IPAddress]
) -> Mapping[str, Rib]:
    """Leave out routes that only lead to addresses in `missing`, which are not bound yet.

    Only VirtualIPs have addresses to be bound, and they share one with none but their kind.
    """
    if not missing:
        return ribs
    waiting = {
        str(assignment.service)
        for assignment in plan.assignments
        if assignment.service.namespace == VIRTUAL_IP_NAMESPACE
        and any(address in missing for address in assignment.addresses)
    }
    return {peer: _without(rib, waiting) for peer, rib in ribs.items()}


def _without(rib: Rib, services: set[str]) -> Rib:
    only_theirs = [
        prefix
        for prefix, route in rib.items()
        if route.services[0] in services and services.issuperset(route.services)
    ]
    kept = dict(rib)  # copying hashes no prefix again, which is slow
    for prefix in only_theirs:
        del kept[prefix]
    return kept


def router_bindings(routers: Iterable[VirtualRouter]) -> dict[IPAddress, str]:
    """Return the addresses of virtual routers that are on `lo` whoever is master (DESIGN 8.3).

    An IPv6 link-local address gets no frames there, so it is bound where and when it is answered.
    """
    return {
        own.ip: router.bind
        for router in routers
        if router.bind == "lo"
        for own in router.all_addresses
        if not (own.version == 6 and own.is_link_local)
    }


def to_bind(
    wanted: Mapping[IPAddress, str],
    bound: Mapping[IPAddress, str],
    holding: Collection[IPNetwork],
) -> dict[IPAddress, str]:
    """Return what is to be bound: what is wanted, and what a peer may still send traffic to."""
    kept = {
        address: interface
        for address, interface in bound.items()
        if address not in wanted and any(address in prefix for prefix in holding)
    }
    return {**kept, **wanted}
