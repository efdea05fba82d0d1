"""All kinds that are read, and those of our groups that are known but not read yet."""

from __future__ import annotations

from orchestrator.config.kinds import (
    bgp_advertisement,
    bgp_peer,
    community,
    endpoints,
    ip_address_pool,
    node,
    secret,
    service,
    settings,
    virtual_ip,
)
from orchestrator.config.schema import Kind

OUR_GROUPS = frozenset({"metallb.io", "orchestrator.io"})

KINDS: tuple[Kind, ...] = (
    ip_address_pool.KIND,
    bgp_peer.KIND,
    bgp_advertisement.KIND,
    community.KIND,
    virtual_ip.KIND,
    settings.KIND,
    secret.KIND,
    service.KIND,
    endpoints.ENDPOINT_SLICE,
    endpoints.ENDPOINTS,
    node.NODE,
    node.NAMESPACE,
)

_BY_NAME = {(kind.group, kind.name): kind for kind in KINDS}
_WRITTEN_BY_US = "it reports a state and configures nothing"
_NOT_READ = {
    ("metallb.io", "L2Advertisement"): "layer 2 is not part of this version",
    ("metallb.io", "BFDProfile"): "BFD is not part of this version",
    ("metallb.io", "ServiceL2Status"): _WRITTEN_BY_US,
    ("metallb.io", "ServiceBGPStatus"): _WRITTEN_BY_US,
    ("metallb.io", "ConfigurationState"): _WRITTEN_BY_US,
    ("orchestrator.io", "VirtualRouter"): "VRRP is not part of this version",
    ("orchestrator.io", "SpeakerState"): _WRITTEN_BY_US,
}


def kind_of(group: str, version: str, name: str) -> Kind | None:
    """Return the declaration of a kind, or None when that kind or version is not read."""
    kind = _BY_NAME.get((group, name))
    return kind if kind is not None and version in kind.versions else None


def why_not_read(group: str, version: str, name: str) -> str:
    """Why objects of a kind of our groups have no effect."""
    kind = _BY_NAME.get((group, name))
    if kind is not None:
        return f"version {version} is not read; write {group}/{kind.versions[0]}"
    return _NOT_READ.get((group, name), f"{group} has no such kind")


def our_kind_names() -> list[str]:
    """Names of all kinds of our groups, for suggestions."""
    known = [*_BY_NAME, *_NOT_READ]
    return sorted(name for group, name in known if group in OUR_GROUPS)
