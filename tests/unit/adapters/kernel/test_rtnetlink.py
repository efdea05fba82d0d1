"""Messages of rtnetlink as bytes."""

from __future__ import annotations

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.kernel import rtnetlink
from orchestrator.adapters.kernel.rtnetlink import Assigned, Gateway, Message
from orchestrator.model.address import Interface


@given(st.binary(max_size=100))
def test_no_answer_is_too_much(data: bytes) -> None:
    """Whatever is received is split into messages."""
    assert all(isinstance(message, Message) for message in rtnetlink.messages(data))


@pytest.mark.parametrize("text", ["192.0.2.254/24", "192.0.2.254/32", "2001:db8::254/128"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    """A request to add an address reads like the kernel's word of it."""
    address: Interface = ipaddress.ip_interface(text)
    request = rtnetlink.address_request(rtnetlink.NEW_ADDRESS, 7, address)
    (message,) = rtnetlink.messages(rtnetlink.encode(request, 1, 0))
    expected = Assigned(7, address, secondary=False, usable=True)
    assert rtnetlink.assigned_of(message.body) == expected


def test_another_family_is_no_address() -> None:
    """What is neither IPv4 nor IPv6 is left out."""
    assert rtnetlink.assigned_of(struct.pack("=BBBBI", 1, 0, 0, 0, 7)) is None


def route(length: int = 0, table: int = 254, kind: int = 1, attributes: bytes = b"") -> bytes:
    """Make the body of a route's message."""
    return struct.pack("=BBBBBBBBI", 2, length, 0, 0, table, 3, 0, kind, 0) + attributes


VIA = struct.pack("=HH4s", 8, 5, socket.inet_aton("192.0.2.1"))
OUT = struct.pack("=HHI", 8, 4, 7)
GATEWAY = Gateway(7, ipaddress.ip_address("192.0.2.1"))


def hop(index: int, attributes: bytes) -> bytes:
    """Make one next hop of several."""
    return struct.pack("=HBBI", 8 + len(attributes), 0, 0, index) + attributes


def test_a_default_gateway() -> None:
    """Next hop and interface of a default route of the main table."""
    assert rtnetlink.gateways_of(route(attributes=VIA + OUT)) == [GATEWAY]


def test_several_gateways() -> None:
    """Each next hop of a default route that has several; an IPv6 one for IPv4 as well (RFC 8950)."""
    other = ipaddress.ip_address("fe80::1")
    via = struct.pack("=HHH16s2x", 22, 18, socket.AF_INET6, other.packed)
    hops = hop(7, VIA) + hop(8, via)
    found = rtnetlink.gateways_of(route(attributes=struct.pack("=HH", 4 + len(hops), 9) + hops))
    assert found == [GATEWAY, Gateway(8, other)]


@pytest.mark.parametrize(
    "body",
    [
        route(length=8, attributes=VIA + OUT),
        route(table=255, attributes=VIA + OUT),
        route(attributes=VIA + OUT + struct.pack("=HHI", 8, 15, 1000)),
        route(kind=6, attributes=VIA + OUT),
        route(attributes=OUT),
        route(),
    ],
)
def test_other_routes_have_no_default_gateway(body: bytes) -> None:
    """Longer prefixes, other tables, no unicast, and routes without a next hop."""
    assert rtnetlink.gateways_of(body) == []
