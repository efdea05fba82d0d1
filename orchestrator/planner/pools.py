"""Pools as allocation sees them: their order, and which Services may use which (metallb.md 3.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import Service
from orchestrator.model.policy import Pool
from orchestrator.model.selector import Labels, matches_any

Pools = tuple[Pool, ...]


class PoolOrder:
    """All pools in a fixed order: by priority (0 comes last), then by name.

    MetalLB leaves the order of pools of equal priority, and of those without one, to chance.
    """

    def __init__(self, pools: Iterable[Pool], namespaces: Mapping[str, Labels]) -> None:
        self.all: Pools = tuple(sorted(pools, key=_rank))
        self.by_name = {pool.name: pool for pool in self.all}
        self._general = tuple(p for p in self.all if p.auto_assign and p.allocation is None)
        self._pinned = tuple(p for p in self.all if p.auto_assign and p.allocation is not None)
        self._namespaces = {pool.name: _namespaces(pool, namespaces) for pool in self.all}
        self._firsts, self._ranges = _index(self.all)

    def holding(self, addresses: Sequence[IPAddress]) -> Pool | None:
        """Return the one pool that has all of `addresses`; pools do not overlap."""
        pool = self.pool_of(addresses[0])
        for address in addresses[1:]:
            if self.pool_of(address) is not pool:
                return None
        return pool

    def pool_of(self, address: IPAddress) -> Pool | None:
        """Return the pool that has `address`, if any."""
        number = int(address)
        index = bisect_right(self._firsts, (address.version, number)) - 1
        if index < 0:
            return None
        version, last, pool = self._ranges[index]
        return pool if number <= last and version == address.version else None

    def refusal(self, service: Service, pool: Pool) -> str | None:
        """Say why `service` may not use `pool` at all, or None if it may.

        A restriction to namespaces of which none exists leaves nobody; MetalLB lifts it then.
        """
        if pool.allocation is None:
            return None
        allowed = self._namespaces[pool.name]
        if allowed is not None and service.key.namespace not in allowed:
            return f"namespace {service.key.namespace} is not among its namespaces"
        if not matches_any(pool.allocation.service_selectors, service.labels):
            return "its serviceSelectors do not match"
        return None

    def automatic(self, service: Service) -> tuple[Pools, Pools]:
        """Return the pools that are tried unasked: those for this Service first, then the general."""
        pinned = tuple(pool for pool in self._pinned if self.refusal(service, pool) is None)
        return pinned, self._general


def _rank(pool: Pool) -> tuple[bool, int, str]:
    priority = pool.allocation.priority if pool.allocation else 0
    return (priority == 0, priority, pool.name)


def _namespaces(pool: Pool, labels: Mapping[str, Labels]) -> frozenset[str] | None:
    """Return the namespaces that a pool is for; None means all."""
    allocation = pool.allocation
    if allocation is None or not (allocation.namespaces or allocation.namespace_selectors):
        return None
    selectors = allocation.namespace_selectors
    chosen = {n for n, own in labels.items() if any(s.matches(own) for s in selectors)}
    return allocation.namespaces | chosen


def _index(pools: Pools) -> tuple[list[tuple[int, int]], list[tuple[int, int, Pool]]]:
    """Return the starts of all ranges in order, and the end and the pool of each."""
    entries = sorted(
        ((int(r.family), int(r.first), int(r.last), pool) for pool in pools for r in pool.ranges),
        key=lambda entry: entry[:3],
    )
    return [entry[:2] for entry in entries], [(e[0], e[2], e[3]) for e in entries]
