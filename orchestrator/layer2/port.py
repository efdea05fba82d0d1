"""An interface of this host as layer 2 sees it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, replace

from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.model.address import Interface, IPAddress


@dataclass(frozen=True, slots=True)
class Port:
    """One Ethernet interface; `up` is administratively up and with carrier.

    `addresses` are in the kernel's order, those of virtual routers last: the first of a kind is the
    primary one.
    """

    name: str
    index: int
    mac: MAC
    up: bool = True
    addresses: tuple[Interface, ...] = ()

    def own_first(self, virtual: Collection[IPAddress]) -> Port:
        """Put addresses that come and go with mastery last: none of them is to be a source.

        The kernel has the newest link-local address first. A router that owns its addresses has no
        others, and sends from them.
        """
        ordered = tuple(sorted(self.addresses, key=lambda address: address.ip in virtual))
        return self if ordered == self.addresses else replace(self, addresses=ordered)

    @property
    def ipv4(self) -> ipaddress.IPv4Address | None:
        """The primary IPv4 address, that adverts and hellos are sent from (RFC 9568 5.1.1.1)."""
        return next((a.ip for a in self.addresses if isinstance(a.ip, ipaddress.IPv4Address)), None)

    @property
    def link_local(self) -> ipaddress.IPv6Address | None:
        """The IPv6 link-local address, the source of adverts over IPv6 (RFC 9568 5.1.2.1)."""
        return next(
            (
                a.ip
                for a in self.addresses
                if isinstance(a.ip, ipaddress.IPv6Address) and a.ip.is_link_local
            ),
            None,
        )
