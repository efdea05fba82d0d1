"""Links of a topology file, in containerlab's short and long form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchestrator.config.tree import Mapping as TreeMapping
from orchestrator.lab import topology_keys as keys
from orchestrator.lab.topology import DEFAULT_MTU, HOST, Endpoint, Link, NodeSpec
from orchestrator.lab.topology_tree import Value

_INTERFACE = re.compile(r"[^\s/:]{1,15}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")


def read_links(values: Iterable[Value], nodes: Mapping[str, NodeSpec]) -> tuple[Link, ...]:
    """Return the links; each has two ends at nodes of the file, and no end is used twice."""
    links = []
    used: set[tuple[str, str]] = set()
    for value in values:
        given = value.fields(keys.LINK, keys.REFUSED_LINK)
        ends = _ends(value, given)
        if len(ends) != 2:
            continue
        for end in ends:
            _check_end(value, end, nodes, used)
        links.append(Link((ends[0], ends[1]), _mtu(given)))
    return tuple(links)


def _mtu(given: Mapping[str, Value]) -> int:
    return given["mtu"].whole(68, 65535) if "mtu" in given else DEFAULT_MTU


def _ends(value: Value, given: Mapping[str, Value]) -> list[Endpoint]:
    kind = given["type"].text() if "type" in given else "veth"
    if kind == "host" and {"endpoint", "host-interface"} <= given.keys():
        near = _endpoint(given["endpoint"])
        return [near, Endpoint(HOST, given["host-interface"].text())] if near else []
    if kind != "veth" or "endpoints" not in given:
        value.wrong(f"expected endpoints, or type: host; {kind} links are not known here")
        return []
    items = list(given["endpoints"].items())
    if len(items) != 2:
        given["endpoints"].wrong("a link has exactly two endpoints")
        return []
    return [end for item in items if (end := _endpoint(item))]


def _endpoint(value: Value) -> Endpoint | None:
    if isinstance(value.node, TreeMapping):
        return _long_endpoint(value)
    node, colon, interface = value.text().partition(":")
    if not node or not colon or not _INTERFACE.fullmatch(interface):
        value.wrong("expected NODE:INTERFACE, the interface 1 to 15 characters")
        return None
    return Endpoint(node, interface)


def _long_endpoint(value: Value) -> Endpoint | None:
    given = value.fields(keys.ENDPOINT, keys.REFUSED_ENDPOINT)
    texts = {key: field.text() for key, field in given.items()}
    if not texts.get("node") or not _INTERFACE.fullmatch(texts.get("interface", "")):
        value.wrong("expected node and interface, the interface 1 to 15 characters")
        return None
    if "mac" in given and not _MAC.fullmatch(texts["mac"]):
        given["mac"].wrong("expected six bytes, such as aa:c1:ab:00:00:01")
        return None
    return Endpoint(texts["node"], texts["interface"], texts.get("mac"))


def _check_end(
    value: Value, end: Endpoint, nodes: Mapping[str, NodeSpec], used: set[tuple[str, str]]
) -> None:
    if end.node != HOST and end.node not in nodes:
        value.wrong(f"there is no node {end.node}")
        return
    on_host = end.node == HOST or nodes[end.node].kind == "bridge"
    name = (HOST if on_host else end.node, end.interface)
    if name in used:
        value.wrong(f"{end} is used by another link")
    if end.interface == "lo":
        value.wrong(f"{end}: every node has a lo of its own")
    used.add(name)
