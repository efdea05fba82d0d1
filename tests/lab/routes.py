"""What the routers of lab tests have in common: neighbors, RIBs, routes in the kernel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from orchestrator.lab.runner import Node

Path = dict[str, Any]
Rib = dict[str, list[Path]]
"""Prefix -> paths, each with nexthop, local_pref, med, communities, large, as_path, best."""


@dataclass(frozen=True)
class Neighbor:
    """A BGP neighbor in a router's configuration; `extra` are further `neighbor X ...` lines."""

    address: str
    asn: int
    families: tuple[str, ...] = ("ipv4",)
    password: str | None = None
    passive: bool = False
    ttl_security_hops: int | None = None
    multihop: int | None = None
    port: int | None = None
    timers_s: tuple[int, int] | None = None
    extra: tuple[str, ...] = ()


def kernel_routes(
    node: Node, family: str = "ipv4", protocol: str | None = None
) -> dict[str, list[str]]:
    """Routes in a node's main table: prefix (with length) -> next hops, sorted."""
    option = "-4" if family == "ipv4" else "-6"
    chosen = ["protocol", protocol] if protocol else []
    out = node.run(["ip", option, "-j", "-d", "route", "show", *chosen], timeout_s=30).stdout
    found: dict[str, list[str]] = {}
    for route in json.loads(out or "[]"):
        prefix = str(route["dst"])
        length = (
            "" if "/" in prefix or prefix == "default" else ("/32" if family == "ipv4" else "/128")
        )
        hops = [
            hop.get("gateway") or hop.get("via", {}).get("host")
            for hop in route.get("nexthops", [route])
        ]
        found.setdefault(prefix + length, []).extend(hop for hop in hops if hop)
    return {prefix: sorted(hops) for prefix, hops in found.items()}
