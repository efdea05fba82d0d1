"""Which advertisements are for which pool, looked up once for a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.model.address import Family
from orchestrator.model.policy import (
    Advertisement,
    BGPAdvertisement,
    L2Advertisement,
    Policy,
    Pool,
)

A = TypeVar("A", bound=Advertisement)


@dataclass(frozen=True, slots=True)
class Coverage(Generic[A]):
    """By pool its advertisements and the address families it has.

    `choosy` are the pools of which some advertisement is for some Services only.
    """

    by_pool: Mapping[str, tuple[A, ...]]
    families: Mapping[str, tuple[Family, ...]]
    choosy: frozenset[str]


def cover(pools: Collection[Pool], advertisements: Sequence[A]) -> Coverage[A]:
    """Find the advertisements of every pool."""
    by_pool = {pool.name: tuple(a for a in advertisements if a.covers(pool)) for pool in pools}
    choosy = (name for name, ads in by_pool.items() if any(ad.service_selectors for ad in ads))
    families = {pool.name: tuple(filter(pool.has, Family)) for pool in pools}
    return Coverage(by_pool, families, frozenset(choosy))


@dataclass(frozen=True, slots=True)
class Coverages:
    """The coverage of all pools by either protocol."""

    bgp: Coverage[BGPAdvertisement]
    layer2: Coverage[L2Advertisement]


def coverages(policy: Policy) -> Coverages:
    """Find the advertisements of every pool of a policy."""
    return Coverages(
        cover(policy.pools, policy.bgp_advertisements),
        cover(policy.pools, policy.l2_advertisements),
    )
