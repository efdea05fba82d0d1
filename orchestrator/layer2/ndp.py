"""Neighbor discovery over Ethernet (RFC 4861): solicitations read, advertisements made."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.layer2.checksum import ICMPV6, checksum, pseudo_header
from orchestrator.layer2.ethernet import HEAD_LENGTH, IPV6_TYPE, MAC, Head, decode_head

ALL_NODES = ipaddress.IPv6Address("ff02::1")
_SOLICITED_NODE = int(ipaddress.IPv6Address("ff02::1:ff00:0"))
_IPV6 = struct.Struct("!IHBB16s16s")
_MESSAGE = struct.Struct("!BBHI16s")
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_LINK, _TARGET_LINK = 1, 2
_SOLICITED, _OVERRIDE = 0x40000000, 0x20000000
_HOP_LIMIT = 255
"""What a router forwarded has less, and is ignored (RFC 4861 7.1.1)."""
_NOBODY = ipaddress.IPv6Address(0)


@dataclass(frozen=True, slots=True)
class Solicitation:
    """Somebody asks where `target` is; from `::` it is a probe before taking it (RFC 4862 5.4)."""

    source: ipaddress.IPv6Address
    source_mac: MAC
    target: ipaddress.IPv6Address

    @property
    def is_probe(self) -> bool:
        """Tell whether the asker wants the address for itself."""
        return self.source == _NOBODY


def solicited_node(address: ipaddress.IPv6Address) -> ipaddress.IPv6Address:
    """Return the group that solicitations for `address` go to (RFC 4291 2.7.1)."""
    return ipaddress.IPv6Address(_SOLICITED_NODE | int(address) & 0xFFFFFF)


def group_mac(group: ipaddress.IPv6Address) -> MAC:
    """Return the hardware address of an IPv6 group (RFC 2464 7)."""
    return MAC(b"\x33\x33" + group.packed[-4:])


def decode(frame: bytes) -> Solicitation | None:
    """Read a frame; None when it is no neighbor solicitation that RFC 4861 7.1.1 accepts."""
    head = decode_head(frame)
    if head is None or head.type != IPV6_TYPE or len(frame) < HEAD_LENGTH + _IPV6.size:
        return None
    first, length, protocol, hops, source, to = _IPV6.unpack_from(frame, HEAD_LENGTH)
    payload = frame[HEAD_LENGTH + _IPV6.size :][:length]
    if first >> 28 != 6 or protocol != ICMPV6 or hops != _HOP_LIMIT or len(payload) < length:
        return None
    ends = ipaddress.IPv6Address(source), ipaddress.IPv6Address(to)
    return _solicitation(payload, *ends, head.source)


def _solicitation(
    payload: bytes, source: ipaddress.IPv6Address, to: ipaddress.IPv6Address, mac: MAC
) -> Solicitation | None:
    if len(payload) < _MESSAGE.size:
        return None
    if checksum(pseudo_header(source, to, ICMPV6, len(payload)) + payload) != 0:
        return None
    kind, code, _, _, target = _MESSAGE.unpack_from(payload)
    address = ipaddress.IPv6Address(target)
    if (kind, code) != (_SOLICITATION, 0) or address.is_multicast:
        return None
    options = _options(payload[_MESSAGE.size :])
    if options is None or (source == _NOBODY and _SOURCE_LINK in options):
        return None
    said = options.get(_SOURCE_LINK, b"")
    return Solicitation(source, MAC(said) if len(said) == 6 else mac, address)


def _options(data: bytes) -> dict[int, bytes] | None:
    """Read options by type; None when one has no length or is cut short (RFC 4861 4.6)."""
    found: dict[int, bytes] = {}
    while data:
        if len(data) < 2 or data[1] == 0 or len(data) < 8 * data[1]:
            return None
        found.setdefault(data[0], data[2 : 8 * data[1]])
        data = data[8 * data[1] :]
    return found


def answer(question: Solicitation, own: MAC, source: ipaddress.IPv6Address) -> bytes:
    """Return the frame that tells who asked that the target is at `own`.

    `source` is an address of the interface. A probe is answered to all, unsolicited (7.2.4).
    """
    if question.is_probe:
        return unsolicited(question.target, own, source)
    way = _Way(own, source, question.source_mac, question.source)
    return _advertisement(question.target, _SOLICITED | _OVERRIDE, way)


def unsolicited(address: ipaddress.IPv6Address, own: MAC, source: ipaddress.IPv6Address) -> bytes:
    """Return the frame that tells all nodes that `address` is at `own` now (RFC 4861 7.2.6)."""
    return _advertisement(address, _OVERRIDE, _Way(own, source, group_mac(ALL_NODES), ALL_NODES))


class _Way(NamedTuple):
    """From where to where a frame goes."""

    own: MAC
    source: ipaddress.IPv6Address
    mac: MAC
    to: ipaddress.IPv6Address


def _advertisement(address: ipaddress.IPv6Address, flags: int, way: _Way) -> bytes:
    option = bytes((_TARGET_LINK, 1)) + way.own
    message = _MESSAGE.pack(_ADVERTISEMENT, 0, 0, flags, address.packed) + option
    total = checksum(pseudo_header(way.source, way.to, ICMPV6, len(message)) + message)
    message = message[:2] + total.to_bytes(2, "big") + message[4:]
    ends = (way.source.packed, way.to.packed)
    head = _IPV6.pack(6 << 28, len(message), ICMPV6, _HOP_LIMIT, *ends)
    return Head(way.mac, way.own, IPV6_TYPE).encode() + head + message
