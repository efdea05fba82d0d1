"""The Ethernet interfaces of this host as they are, told anew at each change (rtnetlink(7))."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Mapping

from orchestrator.adapters.kernel import packet_filter, rtnetlink
from orchestrator.adapters.kernel.netlink import Netlink, default_gateways
from orchestrator.adapters.kernel.packet_filter import Step
from orchestrator.adapters.kernel.rtnetlink import Assigned, Link, Message
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.port import Port
from orchestrator.model.address import IPAddress

_LINKS, _IPV4_ADDRESSES, _IPV4_ROUTES, _IPV6_ADDRESSES, _IPV6_ROUTES = 0x1, 0x10, 0x40, 0x100, 0x400
_GROUPS = _LINKS | _IPV4_ADDRESSES | _IPV4_ROUTES | _IPV6_ADDRESSES | _IPV6_ROUTES
_BUFFER = 1 << 16
_MOST_READS = 64
"""Messages taken before others get their turn."""
_VIRTUAL_MACS = (bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002"))
"""MACs of virtual routers: their macvlans are no ports of their own (RFC 9568 7.3)."""


def _only_default_routes() -> packet_filter.Program:
    """Keep the routes of a full table away; of routes only those of length 0 pass."""
    new, gone = (
        int.from_bytes(struct.pack("=H", kind), "big")
        for kind in (rtnetlink.NEW_ROUTE, rtnetlink.DEL_ROUTE)
    )
    return (
        Step(0x28, 0, 0, 4),  # the type of the message
        Step(0x15, 1, 0, new),
        Step(0x15, 0, 2, gone),
        Step(0x30, 0, 0, 17),  # the length of the destination
        Step(0x15, 0, 1, 0),
        Step(0x06, 0, 0, 0xFFFFFFFF),
        Step(0x06, 0, 0, 0),
    )


class InterfaceWatch:
    """Calls `on_change` when `ports` or `gateways` changed; `run` reads them first."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._links: dict[int, Link] = {}
        self._assigned: dict[int, list[Assigned]] = {}
        self.ports: Mapping[str, Port] = {}
        self.gateways: Mapping[str, tuple[IPAddress, ...]] = {}

    async def run(self) -> None:
        """Watch until cancelled; raises OSError when the kernel refuses."""
        loop = asyncio.get_running_loop()
        with _subscribe() as events:
            self._read_all()
            self._tell()
            loop.add_reader(events, self._take, events)
            try:
                await asyncio.Event().wait()
            finally:
                loop.remove_reader(events)

    def _take(self, events: socket.socket) -> None:
        """Apply what happened; after an overrun, read everything anew."""
        try:
            for _ in range(_MOST_READS):
                for message in rtnetlink.messages(events.recv(_BUFFER)):
                    self._apply(message)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            _drain(events)
            self._read_all()
        self._tell()

    def _read_all(self) -> None:
        with Netlink() as netlink:
            self._links = {link.interface: link for link in netlink.links()}
            self._assigned = {}
            for assigned in netlink.addresses():
                self._assigned.setdefault(assigned.interface, []).append(assigned)

    def _apply(self, message: Message) -> None:
        kind, body = message.kind, message.body
        if kind in {rtnetlink.NEW_LINK, rtnetlink.DEL_LINK}:
            # Others than the general family tell of bridge ports only.
            if body[0] == socket.AF_UNSPEC:
                self._apply_link(rtnetlink.link_of(body), gone=kind == rtnetlink.DEL_LINK)
        elif kind in {rtnetlink.NEW_ADDRESS, rtnetlink.DEL_ADDRESS}:
            assigned = rtnetlink.assigned_of(body)
            if assigned is not None:
                self._apply_address(assigned, gone=kind == rtnetlink.DEL_ADDRESS)

    def _apply_link(self, link: Link, *, gone: bool) -> None:
        if gone:
            self._links.pop(link.interface, None)
            self._assigned.pop(link.interface, None)
        else:
            self._links[link.interface] = link

    def _apply_address(self, assigned: Assigned, *, gone: bool) -> None:
        """Keep the kernel's order: a new primary address comes after the primary ones."""
        known = self._assigned.setdefault(assigned.interface, [])
        same = [n for n, one in enumerate(known) if one.address == assigned.address]
        if gone:
            self._assigned[assigned.interface] = [
                one for n, one in enumerate(known) if n not in same
            ]
        elif same:
            known[same[0]] = assigned
        elif assigned.secondary:
            known.append(assigned)
        else:
            at = next((n for n, one in enumerate(known) if one.secondary), len(known))
            known.insert(at, assigned)

    def _tell(self) -> None:
        before = (self.ports, self.gateways)
        self.ports = {
            link.name: self._port(link) for link in self._links.values() if _is_port(link)
        }
        self.gateways = self._by_name()
        if before != (self.ports, self.gateways):
            self._on_change()

    def _port(self, link: Link) -> Port:
        assigned = self._assigned.get(link.interface, ())
        addresses = tuple(one.address for one in assigned if one.usable)
        return Port(link.name, link.interface, MAC(link.mac), link.up, addresses)

    def _by_name(self) -> dict[str, tuple[IPAddress, ...]]:
        found: dict[str, list[IPAddress]] = {}
        for gateway in default_gateways():
            link = self._links.get(gateway.interface)
            if link is not None and gateway.address not in found.setdefault(link.name, []):
                found[link.name].append(gateway.address)
        return {name: tuple(addresses) for name, addresses in found.items()}


def _is_port(link: Link) -> bool:
    return len(link.mac) == 6 and not link.mac.startswith(_VIRTUAL_MACS)


def _drain(events: socket.socket) -> None:
    """Take what is older than an overrun: of an address that it tells of, the end may be lost."""
    while True:
        try:
            events.recv(_BUFFER)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


def _subscribe() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    events = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    packet_filter.attach(events, _only_default_routes())
    events.bind((0, _GROUPS))
    return events
