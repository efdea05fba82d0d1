"""What virtual routers have on interfaces while they are master (DESIGN 8.2, 8.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.model.address import Interface, IPAddress
from orchestrator.model.virtual_router import VirtualRouter

LONGEST_NAME = 15
"""Bytes of an interface's name (IFNAMSIZ less its final zero)."""


@dataclass(frozen=True, slots=True)
class Macvlan:
    """A macvlan on `parent` with the MAC of a virtual router; up while it is master."""

    name: str
    parent: str
    mac: MAC
    up: bool


def virtual_mac(router: VirtualRouter) -> MAC:
    """Return 00-00-5E-00-01-VRID, for IPv6 00-00-5E-00-02-VRID (RFC 9568 7.3)."""
    family = 2 if router.addresses[0].version == 6 else 1
    return MAC(bytes((0, 0, 0x5E, 0, family, router.vrid)))


def bound_by_masters(
    routers: Iterable[VirtualRouter], masters: Collection[str]
) -> dict[IPAddress, str]:
    """Return the interface of each address, with its prefix length, that is bound because its router is master.

    What is on `lo` at all times is not among them; an IPv6 link-local address does not work there
    and is put on the router's own interface.
    """
    return {
        own: where for router in routers if router.name in masters for own, where in _bound(router)
    }


def _bound(router: VirtualRouter) -> Iterator[tuple[Interface, str]]:
    if router.bind is None:
        return
    for own in router.all_addresses:
        if router.bind != "lo":
            yield own, router.bind
        elif own.version == 6 and own.is_link_local:
            yield own, router.interface


def macvlans(routers: Iterable[VirtualRouter], masters: Collection[str]) -> list[Macvlan]:
    """Return the macvlan of each router that has a virtual MAC."""
    return [
        Macvlan(
            f"v{router.addresses[0].version}.{router.vrid}.{router.interface}"[:LONGEST_NAME],
            router.interface,
            virtual_mac(router),
            router.name in masters,
        )
        for router in routers
        if router.virtual_mac
    ]
