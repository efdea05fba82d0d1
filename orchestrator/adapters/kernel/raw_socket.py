"""Packets of protocol 112 to single hosts (unicast peers): the kernel finds their MAC."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct

from orchestrator.adapters.kernel import packet_filter
from orchestrator.layer2.frames.checksum import VRRP
from orchestrator.layer2.frames.ip import INTERNETWORK_CONTROL
from orchestrator.layer2.frames.vrrp import TTL
from orchestrator.model.address import IPAddress

_PACKET_INFO = 8
"""IP_PKTINFO (ip(7)), which Python has no name for."""


class RawSender:
    """Sends packets out of interface `index` from an address given each time.

    TTL and hop limit are 255 and the type of service 0xc0, as for groups. Raises OSError when this
    process may not have raw sockets.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        with contextlib.ExitStack() as undo:
            self._ipv4 = undo.enter_context(_raw(socket.AF_INET))
            self._ipv6 = undo.enter_context(_raw(socket.AF_INET6))
            self._ipv4.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
            self._ipv4.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, INTERNETWORK_CONTROL)
            self._ipv6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
            tclass = socket.IPV6_TCLASS
            self._ipv6.setsockopt(socket.IPPROTO_IPV6, tclass, INTERNETWORK_CONTROL)
            undo.pop_all()

    def send(self, source: IPAddress, target: IPAddress, payload: bytes) -> bool:
        """Send one packet; False when it cannot go now: unknown, unreachable, or queue full."""
        try:
            if isinstance(source, ipaddress.IPv4Address):
                self._ipv4.sendmsg([payload], [self._from_ipv4(source)], 0, (str(target), 0))
            else:
                self._ipv6.sendmsg([payload], [self._from_ipv6(source)], 0, self._to(target))
        except OSError:
            return False
        return True

    def _from_ipv4(self, source: IPAddress) -> tuple[int, int, bytes]:
        info = struct.pack("@i4s4s", self._index, source.packed, bytes(4))
        return socket.IPPROTO_IP, _PACKET_INFO, info

    def _from_ipv6(self, source: IPAddress) -> tuple[int, int, bytes]:
        info = struct.pack("@16sI", source.packed, self._index)
        return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info

    def _to(self, target: IPAddress) -> tuple[str, int, int, int]:
        return str(target), 0, 0, self._index if target.is_link_local else 0

    def close(self) -> None:
        """Send nothing any longer."""
        self._ipv4.close()
        self._ipv6.close()


def _raw(family: socket.AddressFamily) -> socket.socket:
    made = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, VRRP)
    made.setblocking(False)
    packet_filter.attach(made, packet_filter.NOTHING)
    return made
