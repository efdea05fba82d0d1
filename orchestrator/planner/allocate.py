"""Allocation: which addresses each Service has, is given, or why it gets none.

What is held stays: all held addresses are taken up before any new request is looked at (CLI.md).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.model.address import AddressRange, Family, IPAddress, family_of
from orchestrator.model.cluster import FamilyPolicy, Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, KubernetesEvent, Origin, Reason
from orchestrator.model.policy import Policy, Pool
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a Service gets no address."""

    reason: Reason
    message: str


@dataclass(slots=True)
class Ledger:
    """Who has which address while one plan is made; lives no longer than the plan."""

    users: dict[IPAddress, list[Service]] = field(default_factory=dict)
    cursors: dict[tuple[str, Family], Iterator[IPAddress]] = field(default_factory=dict)

    def take(self, service: Service, addresses: Iterable[IPAddress]) -> None:
        """Note that `service` has `addresses`."""
        for address in addresses:
            self.users.setdefault(address, []).append(service)

    def refusal(self, service: Service, address: IPAddress) -> Refusal | None:
        """Say why `service` may not have `address` beside its users, or None when it may."""
        for user in self.users.get(address, ()):
            if not _may_share(service, user):
                return Refusal(Reason.SHARING_MISMATCH, f"{address} is in use by {user.key}")
            clash = service.ports & user.ports
            if clash:
                port = min(clash)
                text = f"port {port.protocol.lower()}/{port.number} is already in use on {address}"
                return Refusal(Reason.PORT_IN_USE, f"{text} by {user.key}")
        return None


def _may_share(service: Service, other: Service) -> bool:
    same_key = bool(service.sharing_key) and service.sharing_key == other.sharing_key
    return same_key and service.backend_key == other.backend_key


def allocate(
    services: Mapping[ServiceKey, Service], policy: Policy, local: Local
) -> tuple[Assignment, ...]:
    """Assign addresses to every Service; the result is sorted by Service."""
    done = allocate_into(Ledger(), services, policy, local)
    return tuple(done[key] for key in sorted(done, key=_by_name))


def allocate_into(
    ledger: Ledger, services: Mapping[ServiceKey, Service], policy: Policy, local: Local
) -> dict[ServiceKey, Assignment]:
    """Assign addresses to `services` beside what `ledger` has, which takes them up."""
    done = {
        key: answer for key, service in services.items() if (answer := _ignored(service, local))
    }
    ours = sorted((s for key, s in services.items() if key not in done), key=_age)
    for service in ours:
        kept = _keep(service, policy, held_by(service, local), ledger)
        if kept is not None:
            done[service.key] = kept
    for service in ours:
        if service.key not in done:
            done[service.key] = _new(service, policy, ledger)
    return done


def _by_name(key: ServiceKey) -> tuple[str, str]:
    return (key.namespace, key.name)


def _age(service: Service) -> tuple[str, str, str]:
    return (service.created, service.key.namespace, service.key.name)


def _ignored(service: Service, local: Local) -> Assignment | None:
    if not service.load_balancer:
        refusal = Refusal(Reason.NOT_LOAD_BALANCER, "spec.type is not LoadBalancer")
    elif service.load_balancer_class != local.lb_class and not _is_virtual_ip(service):
        wanted = local.lb_class or "none"
        refusal = Refusal(
            Reason.OTHER_CLASS,
            f"loadBalancerClass is {service.load_balancer_class or 'none'}, we serve {wanted}",
        )
    else:
        return None
    return Assignment(
        service.key, AssignmentState.IGNORED, reason=refusal.reason, message=refusal.message
    )


def _is_virtual_ip(service: Service) -> bool:
    return service.key.namespace == VIRTUAL_IP_NAMESPACE


def held_by(service: Service, local: Local) -> tuple[IPAddress, ...]:
    """Return what `service` holds: by its status, else by what this node remembers."""
    return service.ingress or local.held.get(str(service.key), ())


def _keep(
    service: Service, policy: Policy, held: tuple[IPAddress, ...], ledger: Ledger
) -> Assignment | None:
    """Take up what `service` holds, or None when it holds nothing that it may keep."""
    if not held:
        return None
    pool = next((pool for pool in policy.pools if all(a in pool for a in held)), None)
    if not policy.pools_faulty and (pool is None or not _still_wanted(service, pool, held)):
        return None
    if any(ledger.refusal(service, address) for address in held):
        return None
    ledger.take(service, held)
    name = pool.name if pool else service.allocated_pool
    return Assignment(service.key, AssignmentState.ASSIGNED, _ordered(held), name, Origin.KEPT)


def _still_wanted(service: Service, pool: Pool, held: tuple[IPAddress, ...]) -> bool:
    if service.requested_addresses and set(service.requested_addresses) != set(held):
        return False
    if service.requested_pool not in (None, pool.name):
        return False
    if not _fits_families(service, held):
        return False
    return not any(_is_buggy(pool, address) for address in held)


def _fits_families(service: Service, held: tuple[IPAddress, ...]) -> bool:
    """Tell whether `held` has the Service's families; PreferDualStack is content with one."""
    families, wanted = {family_of(address) for address in held}, set(service.families)
    prefers = service.family_policy is FamilyPolicy.PREFER_DUAL_STACK
    return not wanted or families == wanted or (prefers and families <= wanted)


def _new(service: Service, policy: Policy, ledger: Ledger) -> Assignment:
    """Give `service` addresses it has not had, or say why not."""
    chosen = _impossible(service, policy) or _choose(service, policy, ledger)
    if isinstance(chosen, Refusal):
        text = f'Failed to allocate IP for "{service.key}": {chosen.message}'
        return Assignment(
            service.key,
            AssignmentState.PENDING,
            reason=chosen.reason,
            message=chosen.message,
            events=(KubernetesEvent("Warning", "AllocationFailed", text),),
        )
    addresses, pool, origin = chosen
    ledger.take(service, addresses)
    listed = " ".join(str(address) for address in addresses)
    return Assignment(
        service.key,
        AssignmentState.ASSIGNED,
        addresses,
        pool.name,
        origin,
        events=(KubernetesEvent("Normal", "IPAllocated", f'Assigned IP ["{listed}"]'),),
    )


def _impossible(service: Service, policy: Policy) -> Refusal | None:
    """Say why no pool could help, in MetalLB's order of checks."""
    if not policy.pools:
        return Refusal(Reason.NO_POOLS, "there is no IPAddressPool")
    if not _is_virtual_ip(service):
        if not service.cluster_ips:
            return Refusal(Reason.NO_CLUSTER_IPS, "the Service has no cluster IP")
        dual = service.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK
        if dual and len(service.cluster_ips) < 2:
            return Refusal(Reason.NOT_ENOUGH_CLUSTER_IPS, "RequireDualStack needs two cluster IPs")
    if service.malformed_request:
        return Refusal(Reason.INVALID_REQUEST, service.malformed_request)
    return None


Choice = tuple[tuple[IPAddress, ...], Pool, Origin]


def _choose(service: Service, policy: Policy, ledger: Ledger) -> Choice | Refusal:
    if service.requested_addresses:
        return _requested(service, policy, ledger)
    if service.requested_pool is not None:
        return _from_named_pool(service, policy, ledger)
    for pool in policy.pools:
        if pool.auto_assign and (found := _from_pool(service, pool, ledger)):
            return found
    return Refusal(Reason.NO_AVAILABLE_ADDRESSES, "no available IPs")


def _requested(service: Service, policy: Policy, ledger: Ledger) -> Choice | Refusal:
    wanted = _ordered(service.requested_addresses)
    if {family_of(address) for address in wanted} != set(_families(service)):
        text = f"requested loadBalancer IP(s) {_listed(wanted)} do not match the Service's families"
        return Refusal(Reason.FAMILY_MISMATCH, text)
    pool = next((pool for pool in policy.pools if all(a in pool for a in wanted)), None)
    if pool is None or any(_is_buggy(pool, address) for address in wanted):
        text = f"{_listed(wanted)} is not allowed in config: no pool holds it"
        return Refusal(Reason.ADDRESS_NOT_IN_POOL, text)
    for address in wanted:
        if refusal := ledger.refusal(service, address):
            return refusal
    if service.requested_pool not in (None, pool.name):
        text = f"{_listed(wanted)} is in pool {pool.name}, not in {service.requested_pool}"
        return Refusal(Reason.REQUEST_POOL_MISMATCH, text)
    return wanted, pool, Origin.REQUESTED


def _from_named_pool(service: Service, policy: Policy, ledger: Ledger) -> Choice | Refusal:
    pool = next((pool for pool in policy.pools if pool.name == service.requested_pool), None)
    if pool is None:
        known = ", ".join(pool.name for pool in policy.pools)
        text = f'unknown pool "{service.requested_pool}"; there are: {known}'
        return Refusal(Reason.UNKNOWN_POOL, text)
    return _from_pool(service, pool, ledger) or Refusal(
        Reason.NO_AVAILABLE_ADDRESSES, f"no available IPs in pool {pool.name}"
    )


def _from_pool(service: Service, pool: Pool, ledger: Ledger) -> Choice | None:
    families = _families(service) or _families_of_pool(pool)
    found = [_first_free(service, pool, family, ledger) for family in families]
    addresses = tuple(address for address in found if address is not None)
    complete = len(addresses) == len(found)
    partly = service.family_policy is FamilyPolicy.PREFER_DUAL_STACK and bool(addresses)
    return (_ordered(addresses), pool, Origin.AUTOMATIC) if complete or partly else None


def _families(service: Service) -> tuple[Family, ...]:
    return tuple(sorted(set(service.families)))


def _families_of_pool(pool: Pool) -> tuple[Family, ...]:
    """Give a VirtualIP that names only a pool one address, of the first family listed there."""
    return (pool.ranges[0].family,) if pool.ranges else ()


def _first_free(service: Service, pool: Pool, family: Family, ledger: Ledger) -> IPAddress | None:
    if service.sharing_key:
        return _first_shareable(service, pool, family, ledger)
    # Addresses behind the cursor are taken for this whole plan: nothing is given back in it.
    cursor = ledger.cursors.setdefault((pool.name, family), _addresses(pool, family))
    return next((address for address in cursor if address not in ledger.users), None)


def _first_shareable(
    service: Service, pool: Pool, family: Family, ledger: Ledger
) -> IPAddress | None:
    candidates = _addresses(pool, family)
    return next((a for a in candidates if ledger.refusal(service, a) is None), None)


def _addresses(pool: Pool, family: Family) -> Iterator[IPAddress]:
    for addresses in pool.ranges:
        if addresses.family is family:
            yield from (a for a in _each(addresses) if not _is_buggy(pool, a))


def _each(addresses: AddressRange) -> Iterator[IPAddress]:
    make = type(addresses.first)
    return (make(number) for number in range(int(addresses.first), int(addresses.last) + 1))


def _is_buggy(pool: Pool, address: IPAddress) -> bool:
    if not pool.avoid_buggy_ips or not isinstance(address, ipaddress.IPv4Address):
        return False
    return int(address) & 0xFF in (0, 255)


def _ordered(addresses: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    return tuple(sorted(addresses, key=lambda address: (address.version, int(address))))


def _listed(addresses: Iterable[IPAddress]) -> str:
    return ", ".join(str(address) for address in addresses)
