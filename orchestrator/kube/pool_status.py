"""The status of an IPAddressPool: how many addresses are in use, and how many are free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.kube.resources import IP_ADDRESS_POOLS
from orchestrator.kube.writes import Document, Write, patch
from orchestrator.model.address import AddressRange, Family, IPAddress
from orchestrator.model.plan import Assignment, AssignmentState
from orchestrator.model.policy import Pool

MOST = 2**63 - 1
"""No count is larger: the definition says int64."""
_BUGGY = (0, 255)
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """Addresses of one pool by family; an address that Services share counts once."""

    assigned_ipv4: int = 0
    assigned_ipv6: int = 0
    available_ipv4: int = 0
    available_ipv6: int = 0

    @property
    def status(self) -> dict[str, int]:
        """The pool's status, in the words of its definition."""
        return {
            "assignedIPv4": self.assigned_ipv4,
            "assignedIPv6": self.assigned_ipv6,
            "availableIPv4": self.available_ipv4,
            "availableIPv6": self.available_ipv6,
        }


def pool_counts(pools: Sequence[Pool], assignments: Iterable[Assignment]) -> dict[str, PoolCounts]:
    """Count the addresses of each pool, by its name.

    An address that is held though its pool does not give it any more counts for no pool.
    """
    held: defaultdict[str, set[IPAddress]] = defaultdict(set)
    for one in assignments:
        if one.state is AssignmentState.ASSIGNED and one.pool is not None:
            held[one.pool].update(one.addresses)
    return {pool.name: _counts(pool, held.get(pool.name, set())) for pool in pools}


def _counts(pool: Pool, held: set[IPAddress]) -> PoolCounts:
    given = [address for address in held if address in pool and not pool.avoids(address)]
    used = [sum(address.version == family for address in given) for family in Family]
    sizes = [capacity(pool, family) for family in Family]
    free = [min(size - count, MOST) for size, count in zip(sizes, used, strict=True)]
    return PoolCounts(*used, *free)


def capacity(pool: Pool, family: Family) -> int:
    """Count the addresses that a pool can give away at all."""
    ranges = [one for one in pool.ranges if one.family is family]
    avoided = map(_buggy, ranges) if pool.avoid_buggy_ips and family is Family.IPV4 else ()
    return sum(one.size for one in ranges) - sum(avoided)


def _buggy(addresses: AddressRange) -> int:
    """Count the addresses that end in .0 or .255."""
    first, last = int(addresses.first), int(addresses.last)
    return sum((last - end) // _BLOCK - (first - 1 - end) // _BLOCK for end in _BUGGY)


def pool_write(
    namespace: str, name: str, counts: PoolCounts, observed: Document | None
) -> Write | None:
    """Return the write that makes a pool's status say `counts`; None when it does.

    `observed` is the status that is there. All counts are written: the definition demands them.
    """
    known = observed or {}
    if all(known.get(key) == count for key, count in counts.status.items()):
        return None
    return patch(IP_ADDRESS_POOLS, namespace, name, {"status": counts.status}, "status")
