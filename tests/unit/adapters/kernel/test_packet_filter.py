"""What the kernel is told to let through, run here on an interpreter of the same instructions."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.kernel import packet_filter
from orchestrator.adapters.kernel.packet_filter import Program
from orchestrator.layer2.frames import arp, ip, ndp
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.shared.member_frame import FLAGS_AT, ROUTINE, VERSION_AND_TYPE, Kind

INDEX = 7
STRANGER = MAC(bytes.fromhex("020000000099"))
VIRTUAL = MAC(bytes.fromhex("00005e000133"))
SOURCES = {4: "192.0.2.9", 6: "fe80::9"}
SIZES = {0x20: 4, 0x28: 2, 0x30: 1}
TESTS = {0x15: int.__eq__, 0x25: int.__gt__, 0x35: int.__ge__, 0x45: int.__and__}
ipv4 = st.integers(0, 0xFFFFFFFF).map(ipaddress.IPv4Address)
nearby = st.integers(0, 3000).map(lambda n: ipaddress.IPv4Address("192.0.2.0") + n)


def passes(program: Program, frame: bytes, interface: int = INDEX, kind: int = 1) -> bool:
    """Run a program on a frame; `kind` is the kernel's type of packet, 1 for broadcast."""
    ancillary = {0xFFFFF004: kind, 0xFFFFF008: interface}
    at, loaded = 0, 0
    while True:
        step = program[at]
        at += 1
        if step.code == 0x06:
            return step.operand != 0
        if step.code == 0x05:
            at += step.operand
        elif step.code in TESTS:
            at += step.true if TESTS[step.code](loaded, step.operand) else step.false
        elif step.code == 0x80:
            loaded = len(frame)
        elif step.operand in ancillary:
            loaded = ancillary[step.operand]
        else:
            part = frame[step.operand : step.operand + SIZES[step.code]]
            if len(part) < SIZES[step.code]:
                return False
            loaded = int.from_bytes(part, "big")


def request(sender: ipaddress.IPv4Address, target: ipaddress.IPv4Address) -> bytes:
    """Make an ARP request."""
    return Arp(Operation.REQUEST, STRANGER, sender, STRANGER, target).encode()


@given(st.lists(st.one_of(nearby, ipv4), max_size=300), st.data())
def test_what_is_ours_always_passes(
    addresses: list[ipaddress.IPv4Address], data: st.DataObject
) -> None:
    """However many addresses there are, ARP from or about each of them is let through."""
    program = packet_filter.arp(INDEX, addresses)
    assert len(program) <= 4096
    other = data.draw(ipv4)
    for one in addresses[:20]:
        assert passes(program, request(one, other))
        assert passes(program, request(other, one))


@given(st.lists(ipv4, max_size=50), ipv4, ipv4)
def test_few_addresses_let_nothing_else_through(
    addresses: list[ipaddress.IPv4Address],
    sender: ipaddress.IPv4Address,
    target: ipaddress.IPv4Address,
) -> None:
    """Up to 60 addresses are told from all others exactly."""
    ours = sender in addresses or target in addresses
    assert passes(packet_filter.arp(INDEX, addresses), request(sender, target)) is ours


@given(st.lists(st.ip_addresses(v=6), max_size=50), st.ip_addresses(v=6))
def test_neighbor_discovery_by_the_last_bits(
    addresses: list[ipaddress.IPv6Address], asked: ipaddress.IPv6Address
) -> None:
    """Solicitations pass where the last 32 bits are those of one of the addresses."""
    source = ipaddress.IPv6Address("fe80::1")
    ends = {int(one) & 0xFFFFFFFF for one in addresses}
    program = packet_filter.neighbor_discovery(INDEX, addresses)
    frame = ndp.ask(asked, STRANGER, source)
    assert passes(program, frame) is (int(asked) & 0xFFFFFFFF in ends)
    assert passes(packet_filter.neighbor_discovery(INDEX, None), frame)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_what_is_for_others_does_not_pass(kind: int) -> None:
    """Frames for another host, and those of another interface but for a virtual MAC, are dropped."""
    program = packet_filter.arp(INDEX, None)
    address = ipaddress.IPv4Address("192.0.2.1")
    frame = arp.ask(address, STRANGER, address)
    to_virtual = VIRTUAL + frame[6:]
    assert passes(program, frame, kind=kind)
    assert not passes(program, frame, kind=3)
    assert not passes(program, frame, INDEX + 1, kind)
    assert passes(program, to_virtual, INDEX + 1, kind)


def advert(target: str, first: int, kind: int, flags: int, size: int) -> bytes:
    """Make a frame of protocol 112 with a payload of `size` bytes that begins so."""
    group = ipaddress.ip_address(target)
    payload = (bytes((first, 1, 1, kind, flags)) + bytes(60))[:size]
    packet = Packet(ipaddress.ip_address(SOURCES[group.version]), group, TTL, payload)
    return ip.encode(packet, STRANGER)


@given(
    st.sampled_from(("224.0.0.18", "224.0.0.254", "ff02::12", "ff02::114")),
    st.sampled_from((VERSION_AND_TYPE, 0x31, 0x21)),
    st.integers(0, 3),
    st.integers(0, 255),
    st.integers(0, 40),
)
def test_an_advert_is_urgent_or_routine(
    target: str, first: int, kind: int, flags: int, size: int
) -> None:
    """Each frame passes one of both filters: that of routine hellos if it says so, however short it is."""
    frame = advert(target, first, kind, flags, size)
    filters = (packet_filter.ipv4_adverts, packet_filter.ipv6_adverts)
    passing = filters[target.startswith("ff02")]
    said = first == VERSION_AND_TYPE and kind == Kind.HELLO and bool(flags & ROUTINE)
    routine = said and size > FLAGS_AT
    assert passes(passing(INDEX, routine=True), frame) is routine
    assert passes(passing(INDEX, routine=False), frame) is not routine


def test_options_make_a_hello_urgent() -> None:
    """A hello behind an IPv4 header with options, whose flags are elsewhere, does not wait."""
    frame = bytearray(advert("224.0.0.254", VERSION_AND_TYPE, Kind.HELLO, ROUTINE, 40))
    frame[14] = 0x46
    assert not passes(packet_filter.ipv4_adverts(INDEX, routine=True), bytes(frame))
    assert passes(packet_filter.ipv4_adverts(INDEX, routine=False), bytes(frame))


def test_nothing_is_nothing() -> None:
    """A socket that only sends gets nothing."""
    assert not passes(packet_filter.NOTHING, bytes(100))
