"""VirtualRouters with VirtualIPs and each other (DESIGN 8.2, RFC 9568)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from orchestrator.config.faults import Faults, shown
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.config.walk import nearest
from orchestrator.model.problem import Severity
from orchestrator.model.virtual_router import HealthTrack, VirtualRouter


@dataclass(frozen=True, slots=True)
class VirtualRouterRules:
    """What VirtualRouters refer to: names of all VirtualIPs that are written."""

    virtual_ips: Collection[str]

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, _clash)

    def _link(self, draft: VirtualRouter, faults: Faults) -> VirtualRouter:
        for index, entry in enumerate(draft.track):
            if isinstance(entry, HealthTrack) and entry.virtual_ip not in self.virtual_ips:
                faults.add(
                    ("spec", "track", index, "virtualIP"),
                    f"there is no VirtualIP {shown(entry.virtual_ip)}",
                    "unknownVirtualIP",
                    severity=Severity.WAITING,
                    hint=nearest(entry.virtual_ip, self.virtual_ips),
                )
        return draft


def _identity(router: VirtualRouter) -> tuple[str, int, int]:
    """Return what tells routers on one LAN apart: IPv4 and IPv6 count their vrids separately."""
    return router.interface, router.vrid, router.addresses[0].version


def _clash(router: VirtualRouter, accepted: Accepted) -> Clash | None:
    for key, value in accepted.items():
        if _identity(cast("VirtualRouter", value)) == _identity(router):
            interface, vrid, version = _identity(router)
            message = f"{key} has vrid {vrid} on {interface} for IPv{version} already"
            return Clash(("spec", "vrid"), message, "duplicateVirtualRouter", "use another vrid")
    return None
