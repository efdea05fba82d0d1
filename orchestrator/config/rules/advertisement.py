"""BGPAdvertisements with pools, aliases and each other (metallb.md 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from orchestrator.config.communities import Aliases, large, resolved, standard
from orchestrator.config.faults import Faults
from orchestrator.config.formats import family_name
from orchestrator.config.kinds.bgp_advertisement import AdvertisementDraft
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.config.rules.names import KnownNames
from orchestrator.config.rules.shared_node import share_node
from orchestrator.model.policy import BGPAdvertisement, Pool
from orchestrator.model.selector import Labels


@dataclass(frozen=True, slots=True)
class AdvertisementRules:
    """What advertisements are compared with; `nodes` are the labels of every known node."""

    pools: Sequence[Pool]
    aliases: Aliases
    nodes: Sequence[Labels]
    names: KnownNames

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, self._clash)

    def _link(self, draft: AdvertisementDraft, faults: Faults) -> BGPAdvertisement:
        self.names.look_at(draft.references, faults)
        values = resolved(draft.communities, self.aliases, faults)
        for pool in self.pools:
            if draft.advertisement.covers(pool):
                _check_aggregation(draft.advertisement, pool, faults)
        return replace(
            draft.advertisement, communities=standard(values), large_communities=large(values)
        )

    def _clash(self, value: BGPAdvertisement, accepted: Accepted) -> Clash | None:
        for key, other in accepted.items():
            elder = cast("BGPAdvertisement", other)
            if value.local_pref != elder.local_pref and self._meet(value, elder):
                ours, theirs = value.local_pref or "none", elder.local_pref or "none"
                message = f"local preference {ours} differs from {theirs} in {key}"
                hint = "both give the same pool to a common peer and node: make them equal"
                return Clash(("spec", "localPref"), message, "conflictingLocalPref", hint)
        return None

    def _meet(self, one: BGPAdvertisement, other: BGPAdvertisement) -> bool:
        """Tell whether both give the same prefix to a common peer from a common node.

        With service selectors it depends on the Service, and is decided there (metallb.md 1.2).
        """
        if one.service_selectors or other.service_selectors:
            return False
        if one.peers and other.peers and not one.peers & other.peers:
            return False
        if not share_node(one.node_selectors, other.node_selectors, self.nodes):
            return False
        return any(
            _same_length(one, other, pool)
            for pool in self.pools
            if one.covers(pool) and other.covers(pool)
        )


def _same_length(one: BGPAdvertisement, other: BGPAdvertisement, pool: Pool) -> bool:
    families = {addresses.family for addresses in pool.ranges}
    return any(one.aggregation(family) == other.aggregation(family) for family in families)


def _check_aggregation(advertisement: BGPAdvertisement, pool: Pool, faults: Faults) -> None:
    """Refuse an aggregate that reaches beyond what the pool owns."""
    for addresses in pool.ranges:
        length = advertisement.aggregation(addresses.family)
        if length < addresses.mask_length:
            field = "aggregationLength" if addresses.family == 4 else "aggregationLengthV6"
            message = (
                f"{family_name(addresses.family)} aggregates of /{length} are wider than "
                f"{addresses.first}-{addresses.last} (/{addresses.mask_length}) of pool {pool.name}"
            )
            hint = f"use {addresses.mask_length} or more, or name the pools that are meant"
            faults.add(("spec", field), message, "aggregationTooWide", hint=hint)
            return
