"""Neighbor discovery frames: which solicitations are heard, and what is advertised."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames import ndp
from orchestrator.layer2.frames.checksum import ICMPV6, checksum, pseudo_header
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.ndp import Advertisement, Solicitation

OWN = MAC(bytes.fromhex("0200c0000201"))
CLIENT = MAC(bytes.fromhex("0200c0000263"))
VIP = ipaddress.IPv6Address("2001:db8::254")
ASKER = ipaddress.IPv6Address("fe80::63")
OURS = ipaddress.IPv6Address("fe80::1")
NOBODY = ipaddress.IPv6Address(0)
LINK = b"\x01\x01" + CLIENT


def frame(
    message: bytes, source: ipaddress.IPv6Address = ASKER, hops: int = 255, kind: int = ICMPV6
) -> bytes:
    """Make a frame around an ICMPv6 message whose checksum is still 0."""
    to = ndp.solicited_node(VIP)
    total = checksum(pseudo_header(source, to, ICMPV6, len(message)) + message)
    message = message[:2] + total.to_bytes(2, "big") + message[4:]
    head = struct.pack("!IHBB", 6 << 28, len(message), kind, hops) + source.packed + to.packed
    return ndp.group_mac(to) + CLIENT + b"\x86\xdd" + head + message


def solicitation(options: bytes = LINK, target: ipaddress.IPv6Address = VIP) -> bytes:
    """Make the message of a neighbor solicitation."""
    return struct.pack("!BBHI", 135, 0, 0, 0) + target.packed + options


def test_a_solicitation_is_heard() -> None:
    """Who asks, from where, and for what."""
    assert ndp.decode(frame(solicitation())) == Solicitation(ASKER, CLIENT, VIP)


def test_without_the_option_the_frame_tells_who_asks() -> None:
    """A solicitation sent to one node may leave out the link-layer address (RFC 4861 4.3)."""
    assert ndp.decode(frame(solicitation(b""))) == Solicitation(ASKER, CLIENT, VIP)


def test_a_probe_is_answered_to_all() -> None:
    """Who asks from `::` cannot be written to: the answer goes to all nodes, unsolicited."""
    probe = ndp.decode(frame(solicitation(b""), NOBODY))
    assert isinstance(probe, Solicitation)
    assert probe.is_probe
    assert ndp.answer(probe, OWN, OURS) == ndp.unsolicited(VIP, OWN, OURS)


@pytest.mark.parametrize(
    "wrong",
    [
        frame(solicitation(), hops=64),
        frame(solicitation(), kind=17),
        frame(solicitation(target=ipaddress.IPv6Address("ff02::1"))),
        frame(solicitation(b"\x01\x00" + bytes(6))),
        frame(solicitation(LINK), NOBODY),
        frame(struct.pack("!BBHI", 135, 1, 0, 0) + VIP.packed),
        frame(struct.pack("!BBHI", 133, 0, 0, 0) + VIP.packed),
        frame(solicitation())[:-1] + b"\x00",
        frame(solicitation())[:-9],
        frame(struct.pack("!BBHI", 136, 0, 0, 0x40000000) + VIP.packed),
    ],
)
def test_what_a_node_must_ignore_is_ignored(wrong: bytes) -> None:
    """RFC 4861 7.1.1 and 7.1.2: hop limit, type, code, checksum, target, options."""
    assert ndp.decode(wrong) is None


@given(st.binary(max_size=120))
def test_no_frame_is_too_much(data: bytes) -> None:
    """Whatever comes off the wire is a message or nothing."""
    assert isinstance(ndp.decode(data), Solicitation | Advertisement | None)


def fields(data: bytes) -> tuple[bytes, bytes, int, int, bytes, bytes]:
    """Target MAC, destination, hop limit, flags, target and link-layer address of a frame."""
    source, to, message = data[22:38], data[38:54], data[54:]
    ends = ipaddress.IPv6Address(source), ipaddress.IPv6Address(to)
    assert checksum(pseudo_header(*ends, ICMPV6, len(message)) + message) == 0
    assert (message[0], message[1], message[24:26]) == (136, 0, b"\x02\x01")
    return data[:6], to, data[21], message[4] >> 4, message[8:24], message[26:32]


def test_an_answer_is_solicited_and_overrides() -> None:
    """The asker alone is told, with the flags S and O (RFC 4861 7.2.4)."""
    found = fields(ndp.answer(Solicitation(ASKER, CLIENT, VIP), OWN, OURS))
    assert found == (CLIENT, ASKER.packed, 255, 0b0110, VIP.packed, OWN)


def test_an_announcement_overrides_without_having_been_asked() -> None:
    """All nodes are told, with the flag O only (RFC 4861 7.2.6)."""
    found = fields(ndp.unsolicited(VIP, OWN, OURS))
    assert found == (
        bytes.fromhex("333300000001"),
        ipaddress.IPv6Address("ff02::1").packed,
        255,
        0b0010,
        VIP.packed,
        OWN,
    )


def test_group_of_an_address() -> None:
    """The last 24 bits of an address make its solicited-node group (RFC 4291 2.7.1)."""
    group = ndp.solicited_node(ipaddress.IPv6Address("4037::1:800:200e:8c6c"))
    assert group == ipaddress.IPv6Address("ff02::1:ff0e:8c6c")
    assert str(ndp.group_mac(group)) == "33:33:ff:0e:8c:6c"


def test_an_advertisement_is_heard() -> None:
    """Who says that it has an address, and at which hardware address."""
    assert ndp.decode(ndp.unsolicited(VIP, OWN, OURS)) == Advertisement(OURS, OWN, VIP)


def test_without_the_option_the_frame_tells_where_it_is() -> None:
    """An advertisement to one node may leave out the link-layer address (RFC 4861 4.4)."""
    bare = struct.pack("!BBHI", 136, 0, 0, 0) + VIP.packed
    assert ndp.decode(frame(bare)) == Advertisement(ASKER, CLIENT, VIP)


def test_a_question_is_asked_of_the_group() -> None:
    """A solicitation of ours goes to the solicited-node group and says where we are."""
    question = ndp.ask(VIP, OWN, OURS)
    assert question[:6] == ndp.group_mac(ndp.solicited_node(VIP))
    assert ndp.decode(question) == Solicitation(OURS, OWN, VIP)


def test_a_default_gateway_says_that_it_is_a_router() -> None:
    """With the flag R hosts keep the gateway they have (RFC 4861 7.2.5, RFC 9568 6.4.1)."""
    assert fields(ndp.unsolicited(VIP, OWN, OURS, router=True))[3] == 0b1010
    question = Solicitation(ASKER, CLIENT, VIP)
    assert fields(ndp.answer(question, OWN, OURS, router=True))[3] == 0b1110
