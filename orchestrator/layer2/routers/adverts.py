"""What a virtual router sends: its adverts, encoded once for each priority."""

from __future__ import annotations

from orchestrator.layer2.actions import Send
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import GROUP_IPV4, GROUP_IPV6, Advert, encode
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.binding import virtual_mac
from orchestrator.model.address import Family, IPAddress
from orchestrator.model.virtual_router import VirtualRouter


def family_of_router(router: VirtualRouter) -> Family:
    """Return the family of the addresses in its adverts; IPv4 when it has none."""
    return Family(router.addresses[0].version) if router.addresses else Family.IPV4


def sending_mac(router: VirtualRouter) -> MAC | None:
    """Return the virtual MAC where it is asked for, None for the port's own."""
    return virtual_mac(router) if router.virtual_mac else None


def group_of(router: VirtualRouter) -> IPAddress:
    """Return the group that adverts of its family go to."""
    return GROUP_IPV4 if family_of_router(router) is Family.IPV4 else GROUP_IPV6


def source_of(router: VirtualRouter, port: Port | None) -> IPAddress | None:
    """Return the address that adverts leave from, None where the port has none or is down."""
    if port is None or not port.up:
        return None
    return port.ipv4 if family_of_router(router) is Family.IPV4 else port.link_local


def _own_sources(
    router: VirtualRouter, port: Port | None, source: IPAddress | None
) -> frozenset[IPAddress]:
    """Return what only this host sends from.

    The addresses of the router are not among them while they are on the interface: their owner
    sends its adverts from them.
    """
    shared = {a.ip for a in router.all_addresses} - {source}
    return frozenset(a.ip for a in port.addresses if a.ip not in shared) if port else frozenset()


class Adverts:
    """The packets of one router; a change of priority needs no new object."""

    def __init__(self, router: VirtualRouter, port: Port | None) -> None:
        self._router = router
        self.source = source_of(router, port)
        self.own = _own_sources(router, port, self.source)
        self.addresses = tuple(address.ip for address in router.addresses)
        self._made: dict[int, tuple[Send, ...]] = {}

    def of(self, priority: int) -> tuple[Send, ...]:
        """Return one advert, to the group or to every peer; none without a source to send from."""
        made = self._made.get(priority)
        if made is None:
            made = self._made[priority] = self._make(priority)
        return made

    def _make(self, priority: int) -> tuple[Send, ...]:
        source, router = self.source, self._router
        if source is None:
            return ()
        timing = (router.advert_interval_ms, self.addresses, router.password)
        advert = Advert(router.version, router.vrid, priority, *timing)
        targets = router.unicast_peers or (group_of(router),)
        return tuple(
            Send(
                router.interface,
                source,
                target,
                encode(advert, source, target, router.checksum),
                sending_mac(router),
            )
            for target in targets
        )
