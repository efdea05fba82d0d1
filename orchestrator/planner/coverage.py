"""Which advertisements are for which pool, looked up once for a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.model.policy import Advertisement, Pool

A = TypeVar("A", bound=Advertisement)


@dataclass(frozen=True, slots=True)
class Coverage(Generic[A]):
    """By pool its advertisements; `choosy` are pools of which some is for some Services only."""

    by_pool: Mapping[str, tuple[A, ...]]
    choosy: frozenset[str]


def cover(pools: Iterable[Pool], advertisements: Sequence[A]) -> Coverage[A]:
    """Find the advertisements of every pool."""
    by_pool = {pool.name: tuple(a for a in advertisements if a.covers(pool)) for pool in pools}
    choosy = (name for name, ads in by_pool.items() if any(ad.service_selectors for ad in ads))
    return Coverage(by_pool, frozenset(choosy))
