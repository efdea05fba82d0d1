"""Neighbor discovery over Ethernet (RFC 4861): solicitations and advertisements."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.layer2.frames.checksum import ICMPV6, checksum
from orchestrator.layer2.frames.ethernet import HEAD_LENGTH, IPV6_TYPE, MAC, Head, decode_head

ALL_NODES = ipaddress.IPv6Address("ff02::1")
_SOLICITED_NODE = int(ipaddress.IPv6Address("ff02::1:ff00:0"))
_IPV6 = struct.Struct("!IHBB16s16s")
_MESSAGE = struct.Struct("!BBHI16s")
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_LINK, _TARGET_LINK = 1, 2
_ROUTER, _SOLICITED, _OVERRIDE = 0x80000000, 0x40000000, 0x20000000
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


@dataclass(frozen=True, slots=True)
class Advertisement:
    """Somebody says that `target` is at `mac`, the frame's source where no option says it."""

    source: ipaddress.IPv6Address
    mac: MAC
    target: ipaddress.IPv6Address


def solicited_node(address: ipaddress.IPv6Address) -> ipaddress.IPv6Address:
    """Return the group that solicitations for `address` go to (RFC 4291 2.7.1)."""
    return ipaddress.IPv6Address(_SOLICITED_NODE | int(address) & 0xFFFFFF)


def group_mac(group: ipaddress.IPv6Address) -> MAC:
    """Return the hardware address of an IPv6 group (RFC 2464 7)."""
    return MAC(b"\x33\x33" + group.packed[-4:])


def decode(frame: bytes) -> Solicitation | Advertisement | None:
    """Read a frame; None when it is nothing that RFC 4861 7.1.1 or 7.1.2 accepts."""
    head = decode_head(frame)
    if head is None or head.type != IPV6_TYPE or len(frame) < HEAD_LENGTH + _IPV6.size:
        return None
    first, length, protocol, hops, source, to = _IPV6.unpack_from(frame, HEAD_LENGTH)
    payload = frame[HEAD_LENGTH + _IPV6.size :][:length]
    if first >> 28 != 6 or protocol != ICMPV6 or hops != _HOP_LIMIT or len(payload) < length:
        return None
    if len(payload) < _MESSAGE.size or _checksum(source + to, payload) != 0:
        return None
    return _message(payload, _Way(head.source, ipaddress.IPv6Address(source), head.target, to))


def _checksum(ends: bytes, message: bytes) -> int:
    """Sum a message up (RFC 4443 2.3); `ends` are source and destination."""
    return checksum(ends + len(message).to_bytes(4, "big") + bytes((0, 0, 0, ICMPV6)) + message)


def _message(payload: bytes, way: _Way) -> Solicitation | Advertisement | None:
    kind, code, _, flags, target = _MESSAGE.unpack_from(payload)
    address = ipaddress.IPv6Address(target)
    options = _options(payload[_MESSAGE.size :])
    if code != 0 or address.is_multicast or options is None:
        return None
    if kind == _SOLICITATION:
        return _solicitation(address, options, way)
    if kind != _ADVERTISEMENT or (flags & _SOLICITED and way.to[0] == 0xFF):
        return None
    return Advertisement(way.source, _hardware(options, _TARGET_LINK, way.own), address)


def _solicitation(
    target: ipaddress.IPv6Address, options: dict[int, bytes], way: _Way
) -> Solicitation | None:
    if way.source == _NOBODY and _SOURCE_LINK in options:
        return None
    return Solicitation(way.source, _hardware(options, _SOURCE_LINK, way.own), target)


def _hardware(options: dict[int, bytes], kind: int, otherwise: MAC) -> MAC:
    said = options.get(kind, b"")
    return MAC(said) if len(said) == 6 else otherwise


def _options(data: bytes) -> dict[int, bytes] | None:
    """Read options by type; None when one has no length or is cut short (RFC 4861 4.6)."""
    found: dict[int, bytes] = {}
    while data:
        if len(data) < 2 or data[1] == 0 or len(data) < 8 * data[1]:
            return None
        found.setdefault(data[0], data[2 : 8 * data[1]])
        data = data[8 * data[1] :]
    return found


def answer(
    question: Solicitation, own: MAC, source: ipaddress.IPv6Address, *, router: bool = False
) -> bytes:
    """Return the frame that tells who asked that the target is at `own`.

    `source` is an address of the interface. A probe is answered to all, unsolicited (7.2.4).
    `router` as for `unsolicited`.
    """
    if question.is_probe:
        return unsolicited(question.target, own, source, router=router)
    way = _Way(own, source, question.source_mac, question.source.packed)
    return _advertisement(question.target, _SOLICITED | _OVERRIDE | _flag(router), way)


def unsolicited(
    address: ipaddress.IPv6Address, own: MAC, source: ipaddress.IPv6Address, *, router: bool = False
) -> bytes:
    """Return the frame that tells all nodes that `address` is at `own` now (RFC 4861 7.2.6).

    `router` is for an address that hosts have as default gateway: a node that hears an
    advertisement of its gateway without the flag R drops the gateway (7.2.5, RFC 9568 6.4.1).
    """
    way = _Way(own, source, group_mac(ALL_NODES), ALL_NODES.packed)
    return _advertisement(address, _OVERRIDE | _flag(router), way)


def ask(address: ipaddress.IPv6Address, own: MAC, source: ipaddress.IPv6Address) -> bytes:
    """Return the frame that asks who has `address` (RFC 4861 4.3)."""
    group = solicited_node(address)
    message = _MESSAGE.pack(_SOLICITATION, 0, 0, 0, address.packed) + _link(_SOURCE_LINK, own)
    return _frame(message, _Way(own, source, group_mac(group), group.packed))


class _Way(NamedTuple):
    """From where to where a frame goes; `to` is the packed destination."""

    own: MAC
    source: ipaddress.IPv6Address
    mac: MAC
    to: bytes


def _flag(router: bool) -> int:
    return _ROUTER if router else 0


def _link(kind: int, mac: MAC) -> bytes:
    return bytes((kind, 1)) + mac


def _advertisement(address: ipaddress.IPv6Address, flags: int, way: _Way) -> bytes:
    message = _MESSAGE.pack(_ADVERTISEMENT, 0, 0, flags, address.packed)
    return _frame(message + _link(_TARGET_LINK, way.own), way)


def _frame(message: bytes, way: _Way) -> bytes:
    ends = way.source.packed + way.to
    total = _checksum(ends, message).to_bytes(2, "big")
    head = _IPV6.pack(6 << 28, len(message), ICMPV6, _HOP_LIMIT, way.source.packed, way.to)
    return Head(way.mac, way.own, IPV6_TYPE).encode() + head + message[:2] + total + message[4:]
