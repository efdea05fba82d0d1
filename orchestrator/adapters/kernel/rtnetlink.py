"""Interfaces, addresses and default routes as rtnetlink messages (rtnetlink(7)), read and written.

pyroute2 takes 0.1 to 0.2 ms to read a message. The process that elects and the one that binds
hundreds of addresses during a takeover do not have that time, so these few are read here.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model.address import Interface, IPAddress

NEW_LINK, DEL_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DEL_ADDRESS, GET_ADDRESS = 20, 21, 22
NEW_ROUTE, DEL_ROUTE, GET_ROUTE = 24, 25, 26
_CREATE_NEW = 0x600
ERROR, DONE = 2, 3
_REQUEST = 0x1
_HEAD = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_KIND_MASK = 0x3FFF
_ETHERNET = 1
_UP_WITH_CARRIER = 0x1 | 0x10000
_NAME, _MAC = 3, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_SECONDARY, _NODAD, _DAD_FAILED, _TENTATIVE = 0x01, 0x02, 0x08, 0x40
_OIF, _GATEWAY, _MULTIPATH, _TABLE, _VIA = 4, 5, 9, 15, 18
_MAIN_TABLE = 254
_UNICAST = 1


class Message(NamedTuple):
    """One message: its type, whose answer it is, and what follows the header."""

    kind: int
    sequence: int
    body: bytes


class Request(NamedTuple):
    """What is asked for or is to be changed."""

    kind: int
    flags: int
    body: bytes


ALL_LINKS = Request(GET_LINK, 0, _LINK.pack(0, 0, 0, 0, 0))
ALL_ADDRESSES = Request(GET_ADDRESS, 0, _ADDRESS.pack(0, 0, 0, 0, 0))


class Link(NamedTuple):
    """Interface number `interface`; `mac` is empty where it is no Ethernet."""

    interface: int
    name: str
    mac: bytes
    up: bool


class Assigned(NamedTuple):
    """An address of interface number `interface`; an unusable one may belong to somebody else as well."""

    interface: int
    address: Interface
    secondary: bool
    usable: bool


class Gateway(NamedTuple):
    """The next hop of a default route, behind interface number `interface`."""

    interface: int
    address: IPAddress


def messages(data: bytes) -> Iterator[Message]:
    """Read what one receive call gave."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, kind, _, sequence, _ = _HEAD.unpack_from(data, at)
        yield Message(kind, sequence, data[at + _HEAD.size : at + length])
        at += (max(length, _HEAD.size) + 3) & ~3


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        found[kind & _KIND_MASK] = body[at + _ATTRIBUTE.size : at + length]
        at += (max(length, _ATTRIBUTE.size) + 3) & ~3
    return found


def link_of(body: bytes) -> Link:
    """Read the body of a message about an interface."""
    _, hardware, index, flags, _ = _LINK.unpack_from(body)
    found = _attributes(body, _LINK.size)
    mac = found.get(_MAC, b"") if hardware == _ETHERNET else b""
    up = flags & _UP_WITH_CARRIER == _UP_WITH_CARRIER
    return Link(index, found.get(_NAME, b"").rstrip(b"\0").decode(), mac, up)


def assigned_of(body: bytes) -> Assigned | None:
    """Read the body of a message about an address; None for other families than IP."""
    family, length, flags, _, index = _ADDRESS.unpack_from(body)
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    found = _attributes(body, _ADDRESS.size)
    if _IFA_FLAGS in found:
        (flags,) = struct.unpack("=I", found[_IFA_FLAGS])
    packed = found.get(_IFA_LOCAL) or found[_IFA_ADDRESS]
    address = ipaddress.ip_interface((packed, length))
    secondary = family == socket.AF_INET and bool(flags & _SECONDARY)
    return Assigned(index, address, secondary, not flags & (_TENTATIVE | _DAD_FAILED))


def gateways_of(body: bytes) -> list[Gateway]:
    """Read the next hops from the body of a message about a route; none if it is no default."""
    _, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(body)
    if length != 0 or kind != _UNICAST:
        return []
    found = _attributes(body, _ROUTE.size)
    if _TABLE in found:
        (table,) = struct.unpack("=I", found[_TABLE])
    if table != _MAIN_TABLE:
        return []
    hops = [(found, found.get(_OIF, b""))]
    hops += [(hop, index) for index, hop in _hops(found.get(_MULTIPATH, b""))]
    return [
        Gateway(struct.unpack("=I", index)[0], ipaddress.ip_address(packed))
        for hop, index in hops
        if len(index) == 4 and (packed := hop.get(_GATEWAY) or hop.get(_VIA, b"")[2:])
    ]


def _hops(data: bytes) -> Iterator[tuple[bytes, dict[int, bytes]]]:
    """Read the next hops of a route that has several, with the index of their interface."""
    at = 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("=H", data, at)
        yield data[at + 4 : at + 8], _attributes(data[at : at + length], 8)
        at += max((length + 3) & ~3, 8)


def address_request(kind: int, index: int, address: Interface) -> Request:
    """Return the request that adds an address to interface `index`, or deletes it.

    No duplicate address detection: several hosts have this address on purpose (RFC 4862 5.4).
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    length = address.network.prefixlen
    body = _ADDRESS.pack(family, length, 0, 0, index)
    body += _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
    if kind == DEL_ADDRESS:
        return Request(kind, 0, body)
    flags = _NODAD if address.version == 6 else 0
    return Request(kind, _CREATE_NEW, body + _attribute(_IFA_FLAGS, struct.pack("=I", flags)))


def _attribute(kind: int, value: bytes) -> bytes:
    padding = bytes(-len(value) % 4)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + padding


def main_routes(family: socket.AddressFamily) -> Request:
    """Return the question for the routes of the main table."""
    body = _ROUTE.pack(family, 0, 0, 0, _MAIN_TABLE, 0, 0, 0, 0)
    return Request(GET_ROUTE, 0, body + _attribute(_TABLE, struct.pack("=I", _MAIN_TABLE)))


def encode(request: Request, sequence: int, flags: int) -> bytes:
    """Return the message that asks for `request`."""
    body = request.body + bytes(-len(request.body) % 4)
    flags |= request.flags | _REQUEST
    return _HEAD.pack(_HEAD.size + len(body), request.kind, flags, sequence, 0) + body


def error_of(body: bytes) -> int:
    """Read the error number of an answer; 0 is success."""
    return -int(struct.unpack_from("=i", body)[0])
