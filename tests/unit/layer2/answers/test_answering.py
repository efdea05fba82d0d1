"""Answering for addresses on one port: questions, announcements, what others say."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.actions import Emit
from orchestrator.layer2.answers.answering import Answering, Counts, Heard
from orchestrator.layer2.answers.conflict import Answered, Claimant
from orchestrator.layer2.frames import arp, ndp
from orchestrator.layer2.frames.arp import Arp, Operation
from orchestrator.layer2.frames.ethernet import MAC, NOBODY
from orchestrator.layer2.frames.ndp import Advertisement, Solicitation
from orchestrator.layer2.port import Port

OWN = MAC(bytes.fromhex("0200c0000201"))
NEW = MAC(bytes.fromhex("0200c0000299"))
CLIENT = MAC(bytes.fromhex("0200c0000263"))
VIRTUAL = MAC(bytes.fromhex("00005e000133"))
LINK_LOCAL = ipaddress.IPv6Address("fe80::1")
PORT = Port(
    "eth0",
    2,
    OWN,
    addresses=(ipaddress.ip_interface("192.0.2.1/24"), ipaddress.ip_interface("fe80::1/64")),
)
VIP = ipaddress.IPv4Address("192.0.2.254")
OTHER = ipaddress.IPv4Address("192.0.2.253")
VIP6 = ipaddress.IPv6Address("2001:db8::254")
ASKER, ASKER6 = ipaddress.IPv4Address("192.0.2.99"), ipaddress.IPv6Address("fe80::63")
QUESTION = Arp(Operation.REQUEST, CLIENT, ASKER, NOBODY, VIP)
NO_ADDRESS = ipaddress.IPv4Address(0)


def owner(*addresses: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Answering:
    """Own addresses since long ago: nothing is left to be announced soon."""
    answering = Answering(PORT)
    answering.take([(address, None) for address in addresses], 0.0)
    for now in (0.05, 1.0, 5.0):
        answering.handle_timer(now)
    return answering


def arps(found: list[Heard] | list[Emit]) -> list[Arp | None]:
    """Read the frames among what was found as ARP."""
    return [arp.decode(one.frame) for one in found if isinstance(one, Emit)]


def test_a_question_is_answered_to_who_asked() -> None:
    """The reply goes to the asker alone, from and about our hardware address, and is counted."""
    answering = owner(VIP)
    (reply,) = answering.receive_arp(QUESTION.encode().ljust(60, b"\0"), 9.0)
    assert reply == Emit("eth0", arp.answer(QUESTION, OWN))
    assert answering.counts[VIP] == Counts(answered=1, gratuitous=8)


def test_a_probe_is_answered() -> None:
    """Who wants our address for itself learns that it is taken (RFC 5227)."""
    probe = Arp(Operation.REQUEST, CLIENT, NO_ADDRESS, NOBODY, VIP)
    assert owner(VIP).receive_arp(probe.encode(), 9.0) == [Emit("eth0", arp.answer(probe, OWN))]


def test_a_virtual_mac_answers_where_there_is_one() -> None:
    """Replies and announcements of a virtual router come from and tell its virtual MAC."""
    answering = Answering(PORT)
    announced = answering.take([(VIP, VIRTUAL)], 0.0)
    assert [emit.frame for emit in announced] == list(arp.announcements(VIP, VIRTUAL))
    found = answering.receive_arp(QUESTION.encode(), 1.0)
    assert found == [Emit("eth0", arp.answer(QUESTION, VIRTUAL))]


@pytest.mark.parametrize(
    "frame",
    [
        Arp(Operation.REQUEST, CLIENT, ASKER, NOBODY, OTHER).encode(),
        Arp(Operation.REPLY, CLIENT, ASKER, OWN, VIP).encode(),
        Arp(Operation.REQUEST, OWN, ASKER, NOBODY, VIP).encode(),
        Arp(Operation.REQUEST, MAC(b"\xff" * 6), ASKER, NOBODY, VIP).encode(),
        QUESTION.encode()[:41],
        QUESTION.encode()[:15] + b"\x06" + QUESTION.encode()[16:],
    ],
)
def test_other_frames_are_not_answered(frame: bytes) -> None:
    """Other addresses, replies, our own questions, group addresses, cut or strange frames."""
    assert owner(VIP).receive_arp(frame, 9.0) == []


def test_released_is_not_answered_nor_announced() -> None:
    """After a release nothing is said of the address."""
    answering = Answering(PORT)
    answering.take([(VIP, None)], 0.0)
    answering.release([VIP])
    assert answering.receive_arp(QUESTION.encode(), 1.0) == []
    assert (answering.next_timer(), answering.owned) == (None, frozenset())
    assert (answering.announce(VIP, 1.0), answering.defend(VIP, 1.0)) == ([], [])


def test_a_solicitation_is_answered() -> None:
    """The asker alone is told, from the link-local address of the port."""
    question = Solicitation(ASKER6, CLIENT, VIP6)
    answering = owner(VIP6)
    found = answering.receive_ndp(ndp.ask(VIP6, CLIENT, ASKER6), 9.0)
    assert found == [Emit("eth0", ndp.answer(question, OWN, LINK_LOCAL))]
    assert answering.counts[VIP6] == Counts(answered=1, gratuitous=4)


def test_without_link_local_address_the_vip_itself_is_the_source() -> None:
    """A port that has no IPv6 address announces from the address announced."""
    bare = Answering(dataclasses.replace(PORT, addresses=()))
    (emit,) = bare.take([(VIP6, None)], 0.0)
    assert ndp.decode(emit.frame) == Advertisement(VIP6, OWN, VIP6)
    (again,) = bare.port(PORT, 0.05)
    assert ndp.decode(again.frame) == Advertisement(LINK_LOCAL, OWN, VIP6)


def test_a_router_says_that_it_is_one() -> None:
    """Addresses of virtual routers are announced with the flag R, which gateways need."""
    (emit,) = Answering(PORT).take([(VIP6, None)], 0.0, router=True)
    assert emit.frame == ndp.unsolicited(VIP6, OWN, LINK_LOCAL, router=True)


@pytest.mark.parametrize(
    "frame",
    [
        ndp.ask(VIP6 + 1, CLIENT, ASKER6),
        ndp.ask(VIP6, OWN, ASKER6),
        ndp.ask(VIP6, MAC(b"\x33" * 6), ASKER6),
        ndp.ask(VIP6, CLIENT, ASKER6)[:-1] + b"\0",
        b"",
    ],
)
def test_other_solicitations_are_not_answered(frame: bytes) -> None:
    """Other addresses, our own questions, group addresses, wrong checksums, nothing."""
    assert owner(VIP6).receive_ndp(frame, 9.0) == []


@given(st.binary(max_size=100))
def test_no_frame_is_too_much(data: bytes) -> None:
    """Whatever comes off the wire raises nothing."""
    answering = owner(VIP, VIP6)
    whole = data[:62].ljust(62, b"\0") + VIP6.packed + data[62:]
    assert answering.receive_ndp(whole, 9.0) == []
    assert isinstance(answering.receive_arp(data, 9.0), list)


def test_taking_announces_in_both_forms() -> None:
    """Request and reply form go out at once and again after 50 ms; a repeated take adds nothing."""
    answering = Answering(PORT)
    first = answering.take([(VIP, None)], 0.0)
    assert [emit.frame for emit in first] == list(arp.announcements(VIP, OWN))
    assert answering.take([(VIP, None)], 0.01) == []
    assert answering.next_timer() == 0.05
    assert answering.handle_timer(0.05) == first


def test_many_are_announced_in_chunks() -> None:
    """No chunk is over 256 frames; the rest of the first round is due at once."""
    answering = Answering(PORT)
    chunks = [answering.take([(VIP + number, None) for number in range(1000)], 3.0)]
    while answering.next_timer() == 3.0:
        chunks.append(answering.handle_timer(3.0))
    assert sum(map(len, chunks)) == 2000
    assert max(map(len, chunks)) <= 256


def test_a_port_that_comes_up_again_announces_what_it_owns() -> None:
    """While down nothing is sent, whatever is asked for; then all is told anew."""
    answering = owner(VIP)
    down = dataclasses.replace(PORT, up=False)
    assert answering.port(down, 10.0) == []
    assert answering.next_timer() is None
    assert answering.take([(OTHER, None)], 11.0) == []
    said = [answering.announce(VIP, 11.0), answering.defend(VIP, 11.0), answering.probe(VIP, 11.0)]
    assert said == [[], [], []]
    announced = {message.target for message in arps(answering.port(PORT, 12.0)) if message}
    assert announced == {VIP, OTHER}


def test_another_hardware_address_is_told_at_once() -> None:
    """When the MAC changes what is owned is announced there, and answered from there."""
    answering = owner(VIP)
    (first, _) = answering.port(dataclasses.replace(PORT, mac=NEW), 10.0)
    assert first.frame == arp.announcements(VIP, NEW)[0]
    found = answering.receive_arp(QUESTION.encode(), 11.0)
    assert found == [Emit("eth0", arp.answer(QUESTION, NEW))]


def test_other_addresses_of_the_port_change_nothing_for_ipv4() -> None:
    """A new address of the port makes nothing to be announced."""
    assert owner(VIP).port(dataclasses.replace(PORT, addresses=()), 10.0) == []


@pytest.mark.parametrize("operation", list(Operation))
def test_a_claimant_is_reported(operation: Operation) -> None:
    """Who says by ARP that an address of ours is elsewhere is named, and gets no answer."""
    rival = Arp(operation, CLIENT, VIP, NOBODY, VIP)
    answering = owner(VIP)
    assert answering.receive_arp(rival.encode(), 9.0) == [Claimant("eth0", VIP, CLIENT)]


def test_a_claimant_of_a_watched_address_is_reported() -> None:
    """An address that this node only has candidates for is watched too, until it is not."""
    answering = Answering(PORT)
    answering.watch([OTHER])
    rival = Arp(Operation.REPLY, CLIENT, OTHER, CLIENT, ASKER).encode()
    assert answering.receive_arp(rival, 1.0) == [Claimant("eth0", OTHER, CLIENT)]
    answering.watch([])
    assert answering.receive_arp(rival, 5.0) == []


def test_a_claimant_is_reported_once_a_second() -> None:
    """A storm of claims is one report a second."""
    answering = owner(VIP)
    rival = Arp(Operation.REPLY, CLIENT, VIP, CLIENT, VIP).encode()
    reports = [answering.receive_arp(rival, 9.0 + number / 10) for number in range(20)]
    assert [bool(report) for report in reports].count(True) == 2


def test_who_claims_one_address_is_answered_about_another() -> None:
    """An old owner that asks from an address we only watch gets its answer."""
    answering = owner(VIP)
    answering.watch([OTHER])
    question = Arp(Operation.REQUEST, CLIENT, OTHER, NOBODY, VIP)
    found = answering.receive_arp(question.encode(), 9.0)
    assert found == [Claimant("eth0", OTHER, CLIENT), Emit("eth0", arp.answer(question, OWN))]


def test_a_claimant_of_an_ipv6_address_is_reported() -> None:
    """Who advertises an address of ours is named."""
    found = owner(VIP6).receive_ndp(ndp.unsolicited(VIP6, CLIENT, ASKER6), 9.0)
    assert found == [Claimant("eth0", VIP6, CLIENT)]


def test_own_frames_are_no_claim() -> None:
    """What comes from our own or our virtual hardware address is ignored."""
    answering = owner(VIP, VIP6)
    answering.take([(OTHER, VIRTUAL)], 9.0)
    own = [*arp.announcements(VIP, OWN), *arp.announcements(OTHER, VIRTUAL)]
    assert [answering.receive_arp(frame, 9.0) for frame in own] == [[]] * 4
    assert answering.receive_ndp(ndp.unsolicited(VIP6, OWN, ASKER6), 9.0) == []


def test_defence_is_one_announcement_in_ten_seconds() -> None:
    """RFC 5227 2.4: one ARP announcement, and no more than one each 10 s."""
    answering = owner(VIP)
    assert answering.defend(VIP, 20.0) == [Emit("eth0", arp.announcements(VIP, OWN)[0])]
    assert answering.defend(VIP, 29.9) == []
    assert len(answering.defend(VIP, 30.0)) == 1


def test_a_probe_asks_and_its_answer_is_reported() -> None:
    """The question comes from the port's address; the first answer within 10 s counts."""
    answering = Answering(PORT)
    assert answering.probe(ASKER, 0.0) == [
        Emit("eth0", arp.ask(ASKER, OWN, ipaddress.IPv4Address("192.0.2.1")))
    ]
    reply = Arp(Operation.REPLY, CLIENT, ASKER, OWN, ipaddress.IPv4Address("192.0.2.1")).encode()
    assert answering.receive_arp(reply, 1.0) == [Answered("eth0", ASKER, CLIENT)]
    assert answering.receive_arp(reply, 1.1) == []


def test_an_ipv6_probe() -> None:
    """The gateway is asked by a solicitation; its advertisement is the answer."""
    answering = Answering(PORT)
    assert answering.probe(ASKER6, 0.0) == [Emit("eth0", ndp.ask(ASKER6, OWN, LINK_LOCAL))]
    reply = ndp.answer(Solicitation(LINK_LOCAL, OWN, ASKER6), CLIENT, ASKER6)
    assert answering.receive_ndp(reply, 1.0) == [Answered("eth0", ASKER6, CLIENT)]


def test_without_link_local_address_no_ipv6_probe_is_sent() -> None:
    """Nobody could answer it."""
    assert Answering(dataclasses.replace(PORT, addresses=())).probe(ASKER6, 0.0) == []


def test_probes_have_a_limit_and_an_end() -> None:
    """64 addresses are asked for at once; after 10 s an answer is none, and others may be asked."""
    answering = Answering(PORT)
    asked = [answering.probe(ASKER + number, 0.0) for number in range(70)]
    assert [bool(one) for one in asked].count(True) == 64
    reply = Arp(Operation.REPLY, CLIENT, ASKER, OWN, VIP).encode()
    assert answering.receive_arp(reply, 11.0) == []
    assert answering.probe(OTHER, 11.0)


def test_counts_of_forgotten_addresses_are_dropped() -> None:
    """Counters stay over a release while the address is watched, and go with the watch."""
    answering = owner(VIP)
    answering.watch([VIP])
    answering.release([VIP])
    assert answering.counts[VIP].gratuitous == 8
    answering.watch([])
    assert answering.counts == {}


def test_frames_made_ahead_are_those_of_the_moment() -> None:
    """What was watched before the hardware address changed is announced with the new one."""
    answering = Answering(PORT)
    answering.watch([VIP, VIP6])
    moved = dataclasses.replace(PORT, mac=NEW, addresses=(ipaddress.ip_interface("fe80::2/64"),))
    answering.port(moved, 1.0)
    announced = answering.take([(VIP, None), (VIP6, None)], 2.0)
    six = ndp.unsolicited(VIP6, NEW, ipaddress.IPv6Address("fe80::2"), router=False)
    request, reply = arp.announcements(VIP, NEW)
    assert [emit.frame for emit in announced] == [request, six, reply]
    assert answering.receive_arp(QUESTION.encode(), 3.0) == [
        Emit("eth0", arp.answer(QUESTION, NEW))
    ]


def test_made_ahead_for_a_port_and_taken_with_a_virtual_mac() -> None:
    """A watched address that a virtual router takes is announced with the virtual MAC, and back."""
    answering = Answering(PORT)
    answering.watch([VIP])
    virtual = answering.take([(VIP, VIRTUAL)], 1.0)
    assert [emit.frame for emit in virtual] == list(arp.announcements(VIP, VIRTUAL))
    answering.release([VIP])
    own = answering.take([(VIP, None)], 2.0)
    assert [emit.frame for emit in own] == list(arp.announcements(VIP, OWN))
    assert answering.counts[VIP].gratuitous == 4
