"""Packets of protocol 112 in frames: what is sent, and what is read."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames import ip
from orchestrator.layer2.frames.checksum import checksum
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.model.address import IPAddress

OWN = MAC(bytes.fromhex("0200c0000201"))
VIRTUAL = MAC(bytes.fromhex("00005e000133"))
SOURCE4, GROUP4 = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("224.0.0.18")
SOURCE6, GROUP6 = ipaddress.ip_address("fe80::1"), ipaddress.ip_address("ff02::12")
BOTH = pytest.mark.parametrize(("source", "group"), [(SOURCE4, GROUP4), (SOURCE6, GROUP6)])


def sent(source: IPAddress, group: IPAddress, payload: bytes = b"hello") -> bytes:
    """Make the frame of a packet to a group."""
    return ip.encode(Packet(source, group, TTL, payload), OWN)


@BOTH
@pytest.mark.parametrize("padding", [b"", bytes(20)])
def test_a_packet_is_read_back(source: IPAddress, group: IPAddress, padding: bytes) -> None:
    """What was sent is read, with its sender, and without what pads the frame."""
    expected = Packet(source, group, 255, b"hello"), OWN
    assert ip.decode(sent(source, group) + padding) == expected


@BOTH
def test_the_frame_goes_to_the_group(source: IPAddress, group: IPAddress) -> None:
    """The hardware address is the group's (RFC 1112, RFC 2464), as is the kind of frame."""
    target, kind = sent(source, group)[:6].hex(":"), sent(source, group)[12:14].hex()
    expected = {4: ("01:00:5e:00:00:12", "0800"), 6: ("33:33:00:00:00:12", "86dd")}
    assert (target, kind) == expected[group.version]


@BOTH
def test_a_virtual_router_sends_from_its_own_address(source: IPAddress, group: IPAddress) -> None:
    """Where the packet has a virtual MAC, the frame comes from there."""
    frame = ip.encode(Packet(source, group, TTL, b""), VIRTUAL)
    assert frame[6:12] == VIRTUAL


def test_header_of_ipv4() -> None:
    """TTL 255, TOS 0xc0, protocol 112, no options, and a right checksum."""
    header = sent(SOURCE4, GROUP4)[14:34]
    assert (header[0], header[1], header[8], header[9]) == (0x45, 0xC0, 255, 112)
    assert struct.unpack("!HHH", header[2:8]) == (25, 0, 0)
    assert checksum(header) == 0


def test_header_of_ipv6() -> None:
    """Hop limit 255, traffic class 0xc0, protocol 112."""
    header = sent(SOURCE6, GROUP6)[14:54]
    assert (header[:4].hex(), header[6], header[7]) == ("6c000000", 112, 255)


@BOTH
def test_a_host_is_no_group(source: IPAddress, group: IPAddress) -> None:
    """A packet to one host has no frame of ours."""
    del group
    with pytest.raises(ValueError, match="no group"):
        sent(source, source)


def with_options() -> bytes:
    """Make a frame whose IPv4 header has options, as a long one has."""
    frame = sent(SOURCE4, GROUP4)
    header = bytearray(frame[14:34] + b"\x94\x04\x00\x00")
    header[0], header[10:12] = 0x46, b"\0\0"
    header[2:4] = (29).to_bytes(2, "big")
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    return frame[:14] + bytes(header) + frame[34:]


def test_options_are_skipped() -> None:
    """The payload begins where the header says that it ends."""
    assert ip.decode(with_options()) == (Packet(SOURCE4, GROUP4, 255, b"hello"), OWN)


def changed(at: int, value: int) -> bytes:
    """Make an IPv4 frame with another byte in its header, summed up anew."""
    frame = bytearray(sent(SOURCE4, GROUP4))
    frame[14 + at] = value
    frame[24:26] = b"\0\0"
    frame[24:26] = checksum(bytes(frame[14:34])).to_bytes(2, "big")
    return bytes(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        sent(SOURCE4, GROUP4)[:33],
        sent(SOURCE4, GROUP4)[:-1],
        sent(SOURCE6, GROUP6)[:53],
        sent(SOURCE6, GROUP6)[:-1],
        changed(0, 0x65),
        changed(0, 0x44),
        changed(0, 0x4F),
        changed(3, 19),
        changed(6, 0x20),
        changed(7, 1),
        changed(9, 17),
        sent(SOURCE4, GROUP4)[:24] + b"\0\0" + sent(SOURCE4, GROUP4)[26:],
        sent(SOURCE6, GROUP6)[:20] + b"\x11" + sent(SOURCE6, GROUP6)[21:],
        sent(SOURCE6, GROUP6)[:14] + b"\x4c" + sent(SOURCE6, GROUP6)[15:],
        sent(SOURCE4, GROUP4)[:12] + b"\x08\x06" + sent(SOURCE4, GROUP4)[14:],
    ],
)
def test_what_is_no_whole_packet_is_not_read(frame: bytes) -> None:
    """Cut short, of another version or protocol, fragments, and a wrong checksum."""
    assert ip.decode(frame) is None


@given(st.binary(max_size=90), st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x08\x06"]))
def test_no_frame_is_too_much(data: bytes, kind: bytes) -> None:
    """Whatever comes off the wire is a packet or nothing."""
    assert isinstance(ip.decode(data[:12].ljust(12, b"\0") + kind + data[12:]), tuple | None)
