"""Names in advertisements that belong to nothing: MetalLB ignores them in silence, we warn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestrator.config.faults import Faults, shown
from orchestrator.config.kinds.advertisement import References
from orchestrator.config.kinds.l2_advertisement import L2AdvertisementDraft
from orchestrator.config.link import Linking
from orchestrator.config.walk import nearest
from orchestrator.model.policy import L2Advertisement


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names of all pools and peers that are written, faulty ones included."""

    pools: Collection[str]
    peers: Collection[str]

    def look_at(self, references: References, faults: Faults) -> None:
        """Warn of every pool and peer that there is not."""
        unknown = _Unknown("IPAddressPool", "ipAddressPools", "unknownPool")
        unknown.warn(references.pools, self.pools, faults)
        unknown = _Unknown("BGPPeer", "peers", "unknownPeer")
        unknown.warn(references.peers, self.peers, faults)

    def l2_linking(self) -> Linking:
        """Return what is looked at in L2Advertisements as `settle` takes it."""
        return Linking(self._link_l2)

    def _link_l2(self, draft: L2AdvertisementDraft, faults: Faults) -> L2Advertisement:
        self.look_at(draft.references, faults)
        return draft.advertisement


@dataclass(frozen=True, slots=True)
class _Unknown:
    kind: str
    field: str
    code: str

    def warn(self, listed: Sequence[str], known: Collection[str], faults: Faults) -> None:
        for index, name in enumerate(listed):
            if name not in known:
                message = f"there is no {self.kind} {shown(name)}; this name has no effect"
                path = ("spec", self.field, index)
                faults.warn(path, message, self.code, hint=nearest(name, known))
