"""The choice of addresses for one Service: those asked for, of a named pool, or any (metallb.md 3.3).

A choice takes nothing: it says what could be had now, or why nothing can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.model.address import Family, IPAddress, family_of
from orchestrator.model.cluster import FamilyPolicy, Service
from orchestrator.model.plan import Origin, Reason
from orchestrator.model.policy import Pool
from orchestrator.planner.ledger import Ledger, Refusal
from orchestrator.planner.pools import PoolOrder, Pools

Addresses = tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Addresses that a Service can have, IPv4 first, all of one pool."""

    addresses: Addresses
    pool: Pool
    origin: Origin


def choose(service: Service, ledger: Ledger) -> Choice | Refusal:
    """Return what `service` can have now, or why it can have nothing."""
    if service.requested_addresses:
        return _requested(service, ledger)
    if service.requested_pool is not None:
        return _of_named_pool(service, ledger)
    pinned, general = ledger.pools.automatic(service)
    found = _best(service, pinned, ledger) or _best(service, general, ledger)
    return found or _exhausted(service, (*pinned, *general), ledger)


def _requested(service: Service, ledger: Ledger) -> Choice | Refusal:
    wanted = ordered(service.requested_addresses)
    families = set(service.families)
    if families and {family_of(address) for address in wanted} != families:
        return Refusal(Reason.FAMILY_MISMATCH, _mismatch(service, wanted))
    pool = ledger.pools.holding(wanted)
    if pool is None or any(pool.avoids(address) for address in wanted):
        return Refusal(Reason.ADDRESS_NOT_IN_POOL, _not_allowed(wanted, ledger.pools))
    if (why := ledger.pools.refusal(service, pool)) is not None:
        text = f"pool {pool.name} not compatible for ip assignment: {why}"
        return Refusal(Reason.POOL_NOT_COMPATIBLE, text)
    for address in wanted:
        if refusal := ledger.refusal(service, address):
            return refusal
    if service.requested_pool not in (None, pool.name):
        text = (
            f"requested loadBalancer IP(s) {listed(wanted)} is not compatible with requested address "
            f"pool {service.requested_pool}: it is in pool {pool.name}"
        )
        return Refusal(Reason.REQUEST_POOL_MISMATCH, text)
    return Choice(wanted, pool, Origin.REQUESTED)


def _mismatch(service: Service, wanted: Addresses) -> str:
    families = " and ".join(f"one IPv{family.value}" for family in sorted(service.families))
    return (
        f"requested loadBalancer IP(s) {listed(wanted)} does not match the ipFamily of the service; "
        f"ask for {families} address"
    )


def _not_allowed(wanted: Addresses, pools: PoolOrder) -> str:
    text = f"[{listed(wanted)}] is not allowed in config"
    homes = {address: pools.pool_of(address) for address in wanted}
    strangers = [address for address, pool in homes.items() if pool is None]
    if strangers:
        return f"{text}: no pool has {listed(strangers)}"
    buggy = [address for address, pool in homes.items() if pool and pool.avoids(address)]
    if buggy:
        return f"{text}: {listed(buggy)} ends in .0 or .255, which avoidBuggyIPs leaves out"
    return f"{text}: they are of different pools, and a Service takes all its addresses from one"


def _of_named_pool(service: Service, ledger: Ledger) -> Choice | Refusal:
    name = service.requested_pool
    pool = ledger.pools.by_name.get(name or "")
    if pool is None:
        known = ", ".join(sorted(ledger.pools.by_name))
        return Refusal(Reason.UNKNOWN_POOL, f'unknown pool "{name}"; there are: {known}')
    if (why := ledger.pools.refusal(service, pool)) is not None:
        text = f"pool {name} not compatible for ip assignment: {why}"
        return Refusal(Reason.POOL_NOT_COMPATIBLE, text)
    return _best(service, (pool,), ledger) or Refusal(
        Reason.NO_AVAILABLE_ADDRESSES,
        f"no available IPs in pool {name} for {_words(service)}: {_state(service, pool, ledger)}",
    )


def _best(service: Service, pools: Pools, ledger: Ledger) -> Choice | None:
    """Return what the first pool gives that can serve the Service in full, or else in part.

    In part is enough under PreferDualStack: the preferred family's pools come first then.
    """
    if not service.families:
        return next((c for p in pools if (c := _one_of(service, p, ledger))), None)
    for pool in pools:
        if found := _from_pool(service, pool, service.families, ledger):
            return found
    if service.family_policy is FamilyPolicy.PREFER_DUAL_STACK and len(service.families) > 1:
        for family in service.families:
            for pool in pools:
                if found := _from_pool(service, pool, (family,), ledger):
                    return found
    return None


def _one_of(service: Service, pool: Pool, ledger: Ledger) -> Choice | None:
    """Give a VirtualIP that names only a pool one address, of the first family listed there."""
    return _from_pool(service, pool, (pool.ranges[0].family,), ledger) if pool.ranges else None


def _from_pool(
    service: Service, pool: Pool, families: Iterable[Family], ledger: Ledger
) -> Choice | None:
    found: list[IPAddress] = []
    for family in families:
        address = ledger.lowest(service, pool, family)
        if address is None:
            return None
        found.append(address)
    return Choice(ordered(found), pool, Origin.AUTOMATIC)


def _exhausted(service: Service, tried: Sequence[Pool], ledger: Ledger) -> Refusal:
    """Say what is the matter with every pool, so that one sees what would help."""
    states = [f"pool {pool.name} {_state(service, pool, ledger)}" for pool in tried[:_MOST]]
    if len(tried) > _MOST:
        states.append(f"{len(tried) - _MOST} more are no better")
    names = {pool.name for pool in tried}
    others = [pool for pool in ledger.pools.all if pool.name not in names]
    states += [f"pool {p.name} {_closed(service, p, ledger.pools)}" for p in others[:_MOST]]
    if len(others) > _MOST:
        states.append(f"{len(others) - _MOST} more are not for it")
    text = f"no available IPs for {_words(service)}: {'; '.join(states)}"
    return Refusal(Reason.NO_AVAILABLE_ADDRESSES, text)


_MOST = 5
"""Pools that one message tells of."""


def _state(service: Service, pool: Pool, ledger: Ledger) -> str:
    lacking = [family for family in service.families if not pool.has(family)]
    if lacking:
        return f"has no {' or '.join(f'IPv{family.value}' for family in lacking)} addresses"
    full = [f for f in service.families if ledger.lowest(service, pool, f) is None]
    names = " and ".join(f"IPv{family.value}" for family in full)
    return f"has no free {names} address; add addresses to it"


def _closed(service: Service, pool: Pool, pools: PoolOrder) -> str:
    why = pools.refusal(service, pool)
    if why is not None:
        return f"is not for it: {why}"
    return "has autoAssign false: ask for it with metallb.io/address-pool"


def _words(service: Service) -> str:
    names = " and ".join(f"IPv{family.value}" for family in sorted(service.families))
    return f"{names} IPFamily" if names else "any IPFamily"


def ordered(addresses: Iterable[IPAddress]) -> Addresses:
    """Sort addresses: IPv4 first, then by number."""
    return tuple(sorted(addresses, key=lambda address: (address.version, int(address))))


def listed(addresses: Iterable[IPAddress]) -> str:
    """Write addresses for a message."""
    return ", ".join(str(address) for address in addresses)
