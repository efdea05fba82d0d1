"""Static routes of ExaBGP to VirtualIPs, pools and advertisements that give the same routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from orchestrator.config.imports.exabgp_route import Attributes, Network, Route
from orchestrator.config.imports.result import Imported

_PREFIX = "orchestrator.io/"


class Announced(NamedTuple):
    """A route and the BGPPeer it goes to."""

    peer: str
    route: Route


class _Group(NamedTuple):
    """What prefixes of one pool have in common: how they go to which peers, and their length."""

    ways: tuple[tuple[Attributes, tuple[str, ...]], ...]
    length: int
    version: int


def add_vips(announced: Iterable[Announced], peers: tuple[str, ...], result: Imported) -> None:
    """Add what announces the routes: one VirtualIP a prefix, one pool for what goes the same way."""
    by_prefix: dict[Network, dict[Attributes, set[str]]] = {}
    lines: dict[Network, int] = {}
    for peer, route in announced:
        ways = by_prefix.setdefault(route.prefix, {})
        ways.setdefault(route.attributes, set()).add(peer)
        lines.setdefault(route.prefix, route.line)
    groups: dict[_Group, list[Network]] = {}
    for prefix in _separate(by_prefix, lines, result):
        groups.setdefault(_group(prefix, by_prefix[prefix]), []).append(prefix)
    for group, prefixes in groups.items():
        _add_group(group, prefixes, lines, peers, result)


def _separate(
    prefixes: Iterable[Network], lines: Mapping[Network, int], result: Imported
) -> list[Network]:
    """Leave out prefixes that contain others: two pools may not overlap."""
    given = list(prefixes)
    known = set(given)
    wide = {above for prefix in given for above in _above(prefix) if above in known}
    for prefix in given:
        if prefix in wide:
            why = "contains another route of this file, and two pools may not overlap"
            result.lose(lines[prefix], f"route {prefix}", why)
        elif prefix.prefixlen == 0:
            result.lose(lines[prefix], f"route {prefix}", "a default route is not announced here")
    return [prefix for prefix in given if prefix not in wide and prefix.prefixlen]


def _above(prefix: Network) -> Iterable[Network]:
    return (prefix.supernet(new_prefix=length) for length in range(prefix.prefixlen))


def _group(prefix: Network, ways: Mapping[Attributes, set[str]]) -> _Group:
    listed = tuple(sorted((attributes, tuple(sorted(peers))) for attributes, peers in ways.items()))
    host = prefix.prefixlen == prefix.max_prefixlen
    return _Group(listed, 0 if host else prefix.prefixlen, 0 if host else prefix.version)


def _add_group(
    group: _Group,
    prefixes: list[Network],
    lines: Mapping[Network, int],
    peers: tuple[str, ...],
    result: Imported,
) -> None:
    pool = result.name("IPAddressPool", "exabgp")
    line = lines[prefixes[0]]
    addresses = [str(prefix) for prefix in prefixes]
    result.add(line, "IPAddressPool", pool, {"addresses": addresses, "autoAssign": False})
    for attributes, to in group.ways:
        spec = _advertisement(attributes, group)
        spec["ipAddressPools"] = [pool]
        spec["peers"] = None if to == tuple(sorted(peers)) else list(to)
        name = result.name("BGPAdvertisement", pool)
        result.add(line, "BGPAdvertisement", name, spec, annotations=_annotations(attributes))
    for prefix in prefixes:
        _add_vip(prefix, lines[prefix], result)


def _advertisement(attributes: Attributes, group: _Group) -> dict[str, Any]:
    key = "aggregationLengthV6" if group.version == 6 else "aggregationLength"
    return {
        key: group.length or None,
        "localPref": attributes.local_pref or None,
        "communities": list(attributes.communities) or None,
    }


def _annotations(attributes: Attributes) -> dict[str, str]:
    values = {
        "med": attributes.med if attributes.med >= 0 else None,
        "as-path-prepend": attributes.prepend or None,
        "next-hop": attributes.next_hop or None,
    }
    return {_PREFIX + name: str(value) for name, value in values.items() if value is not None}


def _add_vip(prefix: Network, line: int, result: Imported) -> None:
    address = str(prefix.network_address)
    host = prefix.prefixlen == prefix.max_prefixlen
    comment = "bind: none as ExaBGP sets no address; leave it out to have it put on lo"
    if not host:
        comment = f"stands for {prefix}: it is announced as long as this VIP is up"
    name = result.name("VirtualIP", f"vip-{address}")
    result.add(line, "VirtualIP", name, {"addresses": [address], "bind": "none"}, comment=comment)
