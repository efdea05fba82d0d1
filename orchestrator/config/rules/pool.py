"""Pools among each other: no address belongs to two (metallb.md 1.1)."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import islice
from typing import NamedTuple, cast

from orchestrator.config.faults import Faults
from orchestrator.config.link import Accepted, Clash, Linking, ObjectKey
from orchestrator.model.address import AddressRange
from orchestrator.model.policy import Pool


class _Taken(NamedTuple):
    """A range that an accepted pool holds; sorts by family and first address."""

    family: int
    first: int
    last: int
    key: ObjectKey
    entry: int


class PoolRules:
    """Finds overlaps among many pools quickly: what is accepted is disjoint, so it can be sorted."""

    def __init__(self) -> None:
        self._taken: list[_Taken] = []
        self._known = 0

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(_link, self._clash)

    def _clash(self, pool: Pool, accepted: Accepted) -> Clash | None:
        self._learn(accepted)
        for index, addresses in enumerate(pool.ranges):
            taken = self._holder(addresses)
            if taken is not None:
                message = f"overlaps spec.addresses[{taken.entry}] of {taken.key}"
                hint = "the pool that is younger, or comes later by name, is left out"
                return Clash(("spec", "addresses", index), message, "overlappingPools", hint)
        return None

    def _learn(self, accepted: Accepted) -> None:
        """Take in what was accepted since the last time; dictionaries keep that order."""
        for key, value in islice(accepted.items(), self._known, None):
            for index, addresses in enumerate(cast("Pool", value).ranges):
                first, last = int(addresses.first), int(addresses.last)
                insort(self._taken, _Taken(addresses.family, first, last, key, index))
        self._known = len(accepted)

    def _holder(self, addresses: AddressRange) -> _Taken | None:
        """Find an accepted range that shares an address with this one."""
        family, last = int(addresses.family), int(addresses.last)
        place = bisect_right(self._taken, (family, last), key=lambda taken: taken[:2])
        before = self._taken[place - 1] if place else None
        if before is None or before.family != family or before.last < int(addresses.first):
            return None
        return before


def _link(draft: Pool, faults: Faults) -> Pool:
    del faults
    return draft
