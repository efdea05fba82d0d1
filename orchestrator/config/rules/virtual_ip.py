"""VirtualIPs with community aliases, and aliases with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.config.communities import Aliases, large, resolved, standard
from orchestrator.config.faults import Faults, shown
from orchestrator.config.kinds.virtual_ip import VirtualIPDraft
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.model.virtual_ip import PathByHealth, VirtualIP


@dataclass(frozen=True, slots=True)
class VirtualIPRules:
    """What VirtualIPs refer to."""

    aliases: Aliases

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link)

    def _link(self, draft: VirtualIPDraft, faults: Faults) -> VirtualIP:
        paths = dict(draft.virtual_ip.paths)
        for health, found in draft.communities.items():
            values = resolved(found, self.aliases, faults)
            if values:
                path = paths.get(health, PathByHealth())
                paths[health] = replace(
                    path, communities=standard(values), large_communities=large(values)
                )
        return replace(draft.virtual_ip, paths=paths)


def _keep(draft: Aliases, faults: Faults) -> Aliases:
    del faults
    return draft


def _clashing_alias(value: Aliases, accepted: Accepted) -> Clash | None:
    for key, others in accepted.items():
        for index, name in enumerate(value):
            if name in others:
                path = ("spec", "communities", index, "name")
                message = f"alias {shown(name)} is defined in {key} already"
                return Clash(path, message, "duplicateAlias", "rename or remove one of them")
    return None


COMMUNITIES = Linking(_keep, _clashing_alias)
