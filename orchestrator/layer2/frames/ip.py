"""IP packets of protocol 112 in Ethernet frames: VRRP adverts and hellos (RFC 9568 5.1)."""

from __future__ import annotations

import ipaddress
import struct

from orchestrator.layer2.frames.checksum import VRRP, checksum
from orchestrator.layer2.frames.ethernet import HEAD_LENGTH, IPV6_TYPE, MAC, Head, decode_head
from orchestrator.layer2.frames.ndp import group_mac
from orchestrator.layer2.frames.vrrp import Packet
from orchestrator.model.address import IPAddress

IPV4_TYPE = 0x0800
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_SMALLEST_IHL = 0x45
INTERNETWORK_CONTROL = 0xC0
"""Type of service and traffic class of what routers say among themselves (RFC 791)."""
_FRAGMENT = 0x3FFF
"""More fragments, and the offset: 0 in a whole packet."""


def encode(packet: Packet, sender: MAC) -> bytes:
    """Return the frame that carries `packet` to its group from the hardware address `sender`.

    Raises ValueError when the target is a host: its hardware address is the kernel's to find.
    """
    if not packet.target.is_multicast:
        raise ValueError(f"{packet.target} is no group")
    make = _ipv4 if packet.target.version == 4 else _ipv6
    kind = IPV4_TYPE if packet.target.version == 4 else IPV6_TYPE
    head = Head(multicast_mac(packet.target), sender, kind).encode()
    return head + make(packet) + packet.payload


def multicast_mac(group: IPAddress) -> MAC:
    """Return the hardware address of a group (RFC 1112 6.4, RFC 2464 7)."""
    if isinstance(group, ipaddress.IPv6Address):
        return group_mac(group)
    return MAC(b"\x01\x00\x5e" + (int(group) & 0x7FFFFF).to_bytes(3, "big"))


def _ipv4(packet: Packet) -> bytes:
    length = _IPV4.size + len(packet.payload)
    before = (_SMALLEST_IHL, INTERNETWORK_CONTROL, length, 0, 0, packet.ttl, VRRP)
    ends = (packet.source.packed, packet.target.packed)
    total = checksum(_IPV4.pack(*before, 0, *ends))
    return _IPV4.pack(*before, total, *ends)


def _ipv6(packet: Packet) -> bytes:
    first = 6 << 28 | INTERNETWORK_CONTROL << 20
    ends = (packet.source.packed, packet.target.packed)
    return _IPV6.pack(first, len(packet.payload), VRRP, packet.ttl, *ends)


def decode(frame: bytes) -> tuple[Packet, MAC] | None:
    """Read a frame: the packet, and the hardware address it came from.

    None when it is no whole packet of protocol 112. What pads the frame is cut off.
    """
    head = decode_head(frame)
    if head is None:
        return None
    if head.type == IPV4_TYPE:
        packet = _read_ipv4(frame[HEAD_LENGTH:])
    else:
        packet = _read_ipv6(frame[HEAD_LENGTH:]) if head.type == IPV6_TYPE else None
    return None if packet is None else (packet, head.source)


def _read_ipv4(data: bytes) -> Packet | None:
    if len(data) < _IPV4.size:
        return None
    first, _, total, _, fragment, ttl, protocol, _, source, target = _IPV4.unpack_from(data)
    size = 4 * (first & 0xF)
    if first >> 4 != 4 or protocol != VRRP or fragment & _FRAGMENT:
        return None
    if not _IPV4.size <= size <= total <= len(data) or checksum(data[:size]) != 0:
        return None
    ends = ipaddress.IPv4Address(source), ipaddress.IPv4Address(target)
    return Packet(*ends, ttl, data[size:total])


def _read_ipv6(data: bytes) -> Packet | None:
    if len(data) < _IPV6.size:
        return None
    first, length, protocol, hops, source, target = _IPV6.unpack_from(data)
    if first >> 28 != 6 or protocol != VRRP or len(data) < _IPV6.size + length:
        return None
    ends = ipaddress.IPv6Address(source), ipaddress.IPv6Address(target)
    return Packet(*ends, hops, data[_IPV6.size :][:length])
