"""Pools among each other: no address belongs to two (metallb.md 1.1)."""

from __future__ import annotations

from typing import cast

from orchestrator.config.faults import Faults
from orchestrator.config.kinds.ip_address_pool import overlapping
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.model.policy import Pool


def _link(draft: Pool, faults: Faults) -> Pool:
    del faults
    return draft


def _clash(pool: Pool, accepted: Accepted) -> Clash | None:
    for key, value in accepted.items():
        other = cast("Pool", value)
        pair = overlapping((*other.ranges, *pool.ranges))
        if pair is not None:
            message = f"overlaps spec.addresses[{pair[0]}] of {key}"
            path = ("spec", "addresses", pair[1] - len(other.ranges))
            hint = "the pool that is younger, or comes later by name, is left out"
            return Clash(path, message, "overlappingPools", hint)
    return None


LINKING = Linking(_link, _clash)
