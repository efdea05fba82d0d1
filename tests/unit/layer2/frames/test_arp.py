"""ARP frames: what is asked, what is answered, and what is announced."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames import arp
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import BROADCAST, MAC, NOBODY

macs = st.binary(min_size=6, max_size=6).map(MAC)
addresses = st.ip_addresses(v=4)
OWN = MAC(bytes.fromhex("0200c0000201"))
CLIENT = MAC(bytes.fromhex("0200c0000263"))
VIP = ipaddress.IPv4Address("192.0.2.254")
ASKER = ipaddress.IPv4Address("192.0.2.99")
QUESTION = Arp(Operation.REQUEST, CLIENT, ASKER, NOBODY, VIP)


@given(st.builds(Arp, st.sampled_from(Operation), macs, addresses, macs, addresses), macs)
def test_a_message_is_read_back(message: Arp, target: MAC) -> None:
    """Every message means what was sent, also when the frame is padded."""
    assert arp.decode(message.encode(target)) == message
    assert arp.decode(message.encode(target).ljust(60, b"\0")) == message


@given(st.binary(max_size=80))
def test_no_frame_is_too_much(frame: bytes) -> None:
    """Whatever comes off the wire is a message or nothing."""
    assert isinstance(arp.decode(frame), Arp | None)


def test_bytes_of_a_question() -> None:
    """The fields are where RFC 826 has them."""
    assert QUESTION.encode().hex() == (
        "ffffffffffff0200c00002630806"  # to all, from the client, ARP
        "00010800060400010200c0000263c0000263"  # Ethernet, IPv4, request; the client
        "000000000000c00002fe"  # about the VIP
    )


@pytest.mark.parametrize("at", [12, 14, 16, 18, 19, 20])
def test_other_kinds_are_not_read(at: int) -> None:
    """Another protocol, hardware, address length or operation is none of ours."""
    frame = bytearray(QUESTION.encode())
    frame[at] ^= 0x40
    assert arp.decode(bytes(frame)) is None


def test_an_answer_goes_to_who_asked() -> None:
    """The reply is sent to the asker alone and says that the VIP is at our address."""
    frame = arp.answer(QUESTION, OWN)
    assert frame[:6] == CLIENT
    assert arp.decode(frame) == Arp(Operation.REPLY, OWN, VIP, CLIENT, ASKER)


def test_a_probe_is_answered_too() -> None:
    """Who asks from 0.0.0.0 wants the address for itself, and learns that it is taken (RFC 5227)."""
    probe = Arp(Operation.REQUEST, CLIENT, ipaddress.IPv4Address(0), NOBODY, VIP)
    assert probe.is_probe
    assert not QUESTION.is_probe
    found = arp.decode(arp.answer(probe, OWN))
    assert found is not None
    assert (found.sender, found.sender_mac, found.target_mac) == (VIP, OWN, CLIENT)


def test_announcements_have_both_forms() -> None:
    """A takeover is told as a request and as a reply, to all, about our own address."""
    frames = arp.announcements(VIP, OWN)
    assert {frame[:6] for frame in frames} == {BROADCAST}
    messages = [arp.decode(frame) for frame in frames]
    assert [message and message.operation for message in messages] == list(Operation)
    assert all(message and message.is_announcement for message in messages)
    assert not QUESTION.is_announcement


def test_a_question_of_ours() -> None:
    """With an address of the port it is a question, without one it is a probe."""
    assert arp.decode(arp.ask(VIP, CLIENT, ASKER)) == QUESTION
    probe = arp.decode(arp.ask(VIP, CLIENT, None))
    assert probe is not None
    assert probe.is_probe
