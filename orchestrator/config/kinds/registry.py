"""All kinds that are read, and those of our groups that are known but not read yet."""

from __future__ import annotations

from orchestrator.config.kinds import (
    bfd_profile,
    bgp_advertisement,
    bgp_peer,
    bgp_peer_v1beta1,
    community,
    config_map,
    endpoints,
    ip_address_pool,
    l2_advertisement,
    node,
    secret,
    service,
    settings,
    virtual_ip,
    virtual_router,
)
from orchestrator.config.schema import Kind

OUR_GROUPS = frozenset({"metallb.io", "orchestrator.io"})

KINDS: tuple[Kind, ...] = (
    ip_address_pool.KIND,
    bgp_peer.KIND,
    bgp_peer_v1beta1.KIND,
    bgp_advertisement.KIND,
    l2_advertisement.KIND,
    bfd_profile.KIND,
    community.KIND,
    virtual_ip.KIND,
    virtual_router.KIND,
    settings.KIND,
    secret.KIND,
    config_map.KIND,
    service.KIND,
    endpoints.ENDPOINT_SLICE,
    endpoints.ENDPOINTS,
    node.NODE,
    node.NAMESPACE,
)

_BY_NAME = {(kind.group, version, kind.name): kind for kind in KINDS for version in kind.versions}
_WRITTEN_BY_US = "it reports a state and configures nothing"
_NOT_READ = {
    ("metallb.io", "ServiceL2Status"): _WRITTEN_BY_US,
    ("metallb.io", "ServiceBGPStatus"): _WRITTEN_BY_US,
    ("metallb.io", "ConfigurationState"): _WRITTEN_BY_US,
    ("orchestrator.io", "SpeakerState"): _WRITTEN_BY_US,
}


def kind_of(group: str, version: str, name: str) -> Kind | None:
    """Return the declaration of a kind, or None when that kind or version is not read."""
    return _BY_NAME.get((group, version, name))


def why_not_read(group: str, version: str, name: str) -> str:
    """Why objects of a kind of our groups have no effect."""
    first = next((kind for kind in KINDS if (kind.group, kind.name) == (group, name)), None)
    if first is not None:
        return f"version {version} is not read; write {group}/{first.versions[0]}"
    return _NOT_READ.get((group, name), f"{group} has no such kind")


def our_kind_names() -> list[str]:
    """Names of all kinds of our groups, for suggestions."""
    known = [*((kind.group, kind.name) for kind in KINDS), *_NOT_READ]
    return sorted({name for group, name in known if group in OUR_GROUPS})
