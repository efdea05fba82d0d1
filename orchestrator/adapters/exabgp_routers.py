"""Routers on a link, by what they advertise: the peers of sessions that are named by interface."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Collection, Mapping
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from orchestrator.model.address import IPAddress

NTF_ROUTER = 0x80
"""The neighbor has sent router advertisements (RFC 4861 6.2), as the kernel notes."""


async def routers_on(interfaces: Collection[str]) -> Mapping[str, IPAddress]:
    """Return the link-local address of the router on each interface where there is one.

    Of several the lowest is taken; an interface without router advertisements is left out.
    """
    found: dict[str, list[ipaddress.IPv6Address]] = {}
    with contextlib.suppress(NetlinkError, OSError):
        await _collect(interfaces, found)
    return {name: min(addresses) for name, addresses in found.items()}


async def _collect(
    interfaces: Collection[str], found: dict[str, list[ipaddress.IPv6Address]]
) -> None:
    async with AsyncIPRoute() as netlink:
        names = {
            link["index"]: link.get_attr("IFLA_IFNAME") async for link in await netlink.get_links()
        }
        async for neighbor in await netlink.get_neighbours(family=socket.AF_INET6):
            name, address = names.get(neighbor["ifindex"]), _router(neighbor)
            if name in interfaces and address is not None:
                found.setdefault(str(name), []).append(address)


def _router(neighbor: Any) -> ipaddress.IPv6Address | None:
    if not neighbor["flags"] & NTF_ROUTER:
        return None
    address = ipaddress.IPv6Address(neighbor.get_attr("NDA_DST"))
    return address if address.is_link_local else None
