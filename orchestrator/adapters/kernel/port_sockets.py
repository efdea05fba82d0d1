"""All sockets of one port: adverts, ARP and neighbor discovery in, frames and packets out."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kernel import packet_filter
from orchestrator.adapters.kernel.multicast import Memberships
from orchestrator.adapters.kernel.packet_socket import Frame, PacketSender, PacketSocket
from orchestrator.adapters.kernel.raw_socket import RawSender
from orchestrator.layer2.actions import Send
from orchestrator.layer2.frames.ethernet import ARP_TYPE, IPV6_TYPE
from orchestrator.layer2.frames.ip import IPV4_TYPE, multicast_mac
from orchestrator.layer2.frames.ndp import solicited_node
from orchestrator.layer2.port import Port
from orchestrator.model.address import IPAddress

GROUPS: tuple[IPAddress, ...] = tuple(
    ipaddress.ip_address(group) for group in ("224.0.0.18", "224.0.0.254", "ff02::12", "ff02::114")
)
"""Where adverts and hellos go (RFC 9568 5.1, RFC 4727)."""


class Adverts:
    """Packets of protocol 112 over IPv4 and IPv6, of all kinds.

    Routine hellos are most of them and can wait until something else wakes this process, since
    nothing is decided before they are read. `crowded` is whether the last read left some of them.
    """

    def __init__(self, index: int) -> None:
        """Open a socket for each family; raises `AdapterError`."""
        with contextlib.ExitStack() as undo:
            self._urgent, self._routine = (
                self._open(index, undo, routine=routine) for routine in (False, True)
            )
            # The interface hears the groups though it has no address yet.
            for group in GROUPS:
                self._urgent[0].join(multicast_mac(group))
            self._undo = undo.pop_all()
        self.crowded = False

    @staticmethod
    def _open(index: int, undo: contextlib.ExitStack, *, routine: bool) -> tuple[PacketSocket, ...]:
        found = []
        for kind, passing in _FAMILIES:
            found.append(PacketSocket(index, kind, passing(index, routine=routine)))
            undo.callback(found[-1].close)
        return tuple(found)

    def descriptors(self) -> tuple[int, ...]:
        """Return the descriptors to wait for."""
        return tuple(one.fileno() for one in self._urgent)

    def routine_descriptors(self) -> tuple[int, ...]:
        """Return the descriptors of routine hellos."""
        return tuple(one.fileno() for one in self._routine)

    def read(self, limit: int) -> list[Frame]:
        """Take at most `limit` frames from each socket, the oldest first."""
        urgent = [frame for one in self._urgent for frame in one.read(limit)]
        routine = [frame for one in self._routine for frame in one.read(limit)]
        self.crowded = len(routine) >= limit
        return sorted(urgent + routine, key=_age_s, reverse=True)

    def close(self) -> None:
        """Receive nothing any longer."""
        self._undo.close()


_FAMILIES = (
    (IPV4_TYPE, packet_filter.ipv4_adverts),
    (IPV6_TYPE, packet_filter.ipv6_adverts),
)


def _age_s(frame: Frame) -> float:
    return frame[1]


class PortSockets:
    """The sockets of `port`, open while the interface exists, whether or not it is up.

    Raises `AdapterError` when one cannot be opened: no permission, or the interface is gone.
    """

    def __init__(self, port: Port) -> None:
        self.port = port
        index = port.index
        self._about: frozenset[IPAddress] | None = None
        self._memberships = Memberships(index)
        with contextlib.ExitStack() as undo:
            undo.callback(self._memberships.close)
            self.adverts = Adverts(index)
            undo.callback(self.adverts.close)
            self.arp = PacketSocket(index, ARP_TYPE, packet_filter.arp(index, None))
            undo.callback(self.arp.close)
            everything = packet_filter.neighbor_discovery(index, None)
            self.ndp = PacketSocket(index, IPV6_TYPE, everything)
            undo.callback(self.ndp.close)
            self._frames = PacketSender(index)
            undo.callback(self._frames.close)
            self._packets = self._open_raw()
            undo.callback(self._packets.close)
            self._undo = undo.pop_all()
        self.errors: Mapping[IPAddress, str] = self._memberships.join(GROUPS)

    def _open_raw(self) -> RawSender:
        try:
            return RawSender(self.port.index)
        except OSError as error:
            raise AdapterError(self.port.name, f"no raw socket: {error.strerror}") from error

    @property
    def lost(self) -> int:
        """Frames that the interface did not take."""
        return self._frames.lost

    def descriptors(self) -> tuple[int, ...]:
        """Return the descriptors to wait for."""
        return (*self.adverts.descriptors(), self.arp.fileno(), self.ndp.fileno())

    def about(self, addresses: frozenset[IPAddress]) -> None:
        """Hear ARP and neighbor discovery about `addresses` only, before this about all.

        Their solicited-node groups are joined, and not left again: joining takes time that a
        takeover does not have. Groups that could not be joined are tried again each time.
        """
        if addresses is self._about and not self.errors:
            return
        if addresses != self._about:
            index = self.port.index
            self.arp.filter(packet_filter.arp(index, addresses))
            self.ndp.filter(packet_filter.neighbor_discovery(index, addresses))
        self._about = addresses
        groups = [
            solicited_node(one) for one in addresses if isinstance(one, ipaddress.IPv6Address)
        ]
        self.errors = self._memberships.join([*GROUPS, *groups])

    def send(self, frame: bytes) -> bool:
        """Send a whole frame; False when the interface takes none now."""
        return self._frames.send(frame)

    def send_packet(self, packet: Send) -> bool:
        """Send a packet to a host; False when it cannot go now."""
        return self._packets.send(packet.source, packet.target, packet.payload)

    def close(self) -> None:
        """Close all."""
        self._undo.close()
