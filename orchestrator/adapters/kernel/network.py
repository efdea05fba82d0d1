"""Addresses and routes of this host, as the kernel has them (rtnetlink)."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from orchestrator.model.address import Interface, IPAddress

Interfaces = dict[str, tuple[Interface, ...]]


async def read_interfaces() -> Interfaces:
    """Return the addresses of every interface of this network namespace, by name."""
    found: dict[str, list[Interface]] = {}
    async with AsyncIPRoute() as netlink:
        names = await _names(netlink)
        async for message in await netlink.get_addr():
            name = names.get(message["index"])
            if name is not None:
                found.setdefault(name, []).append(_interface(message))
    return {name: tuple(addresses) for name, addresses in found.items()}


async def _names(netlink: AsyncIPRoute) -> dict[int, str]:
    return {link["index"]: link.get_attr("IFLA_IFNAME") async for link in await netlink.get_links()}


def _interface(message: Any) -> Interface:
    address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    return ipaddress.ip_interface(f"{address}/{message['prefixlen']}")


async def interfaces_towards(addresses: Iterable[IPAddress]) -> dict[IPAddress, str]:
    """Return the interface the kernel would reach each address by; unreachable ones are left out."""
    found: dict[IPAddress, str] = {}
    async with AsyncIPRoute() as netlink:
        names = await _names(netlink)
        for address in addresses:
            with contextlib.suppress(NetlinkError):
                for route in await netlink.route("get", dst=str(address)):
                    found[address] = names.get(route.get_attr("RTA_OIF"), "")
    return {address: name for address, name in found.items() if name}
