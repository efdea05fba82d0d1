"""What a port is for shared VIPs: merged, unicast, without weight; and whose ARP is seen there."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.layer2.actions import Happening, Release, Send
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.model.layer2_desired import Desired
from orchestrator.model.settings import Transport
from tests.unit.layer2.shared.shared_lan import (
    NIC,
    VIP,
    Lan,
    Member,
    desired,
    port,
    ranked,
    three,
    wish,
)

FIRST, SECOND, THIRD = ranked()
GATEWAY = ipaddress.ip_address("10.0.0.254")
STRANGER = MAC(b"\x02\xff\xff\xff\xff\xff")


# Ports


def two_ports(member: Member) -> None:
    """Give a member a second port."""
    member.ports = {NIC: port(member.number), "eth1": port(member.number, "eth1")}


def test_ports_on_one_segment_are_merged_and_part_again() -> None:
    """Own hellos heard on another port: only the first answers, until they are heard no longer."""
    first = Member(FIRST, 1, desired(FIRST, wish()))
    two_ports(first)
    lan = Lan(first)
    lan.run(1.0)
    assert first.answering() == first.answering("eth1") == {VIP}
    while lan.now < 3.0:
        lan.run(lan.now + 0.05)
        hello = [send for _, send in first.asked(Send) if send.port == NIC][-1]
        packet = Packet(hello.source, hello.target, TTL, hello.payload)
        lan.do(first, first.vips.receive("eth1", packet, first.ports[NIC].mac, lan.now))
    assert first.answering() == {VIP}
    assert not first.answering("eth1")
    assert [one.merged_into for one in first.vips.snapshot(0.0).segments] == [None, NIC]
    lan.run(5.0)
    assert first.answering("eth1") == {VIP}


def test_a_merged_port_speaks_for_itself_when_the_first_is_down() -> None:
    """Where the port that answered is gone, the other one listens and takes over."""
    first = Member(FIRST, 1, desired(FIRST, wish()))
    two_ports(first)
    lan = Lan(first)
    lan.run(1.0)
    hello = [send for _, send in first.asked(Send) if send.port == NIC][-1]
    packet = Packet(hello.source, hello.target, TTL, hello.payload)
    lan.do(first, first.vips.receive("eth1", packet, first.ports[NIC].mac, lan.now))
    down = {NIC: port(1, up=False), "eth1": first.ports["eth1"]}
    lan.do(first, first.vips.ports(down, lan.now))
    lan.run(1.5)
    assert first.answering("eth1") == {VIP}
    assert not first.answering()


def test_a_recorded_hello_of_our_own_merges_nothing() -> None:
    """Only what was sent a moment ago shows that two ports are on one segment."""
    first = Member(FIRST, 1, desired(FIRST, wish()))
    two_ports(first)
    lan = Lan(first)
    lan.run(1.0)
    for _, hello in first.asked(Send)[:6]:
        packet = Packet(hello.source, hello.target, TTL, hello.payload)
        lan.do(first, first.vips.receive("eth1", packet, STRANGER, lan.now))
    assert first.answering("eth1") == {VIP}
    assert first.vips.snapshot(0.0).refused["eth1"]["own"] == 6


def test_without_an_ipv4_address_hellos_go_by_ipv6() -> None:
    """A port with a link-local address only sends to the IPv6 group; one without any is no segment."""
    first = Member(FIRST, 1, desired(FIRST, wish()))
    link_local = (ipaddress.ip_interface("fe80::1/64"),)
    first.ports = {
        NIC: Port(NIC, 2, port(1).mac, addresses=link_local),
        "eth1": Port("eth1", 3, port(1, "eth1").mac),
    }
    lan = Lan(first)
    lan.run(1.0)
    ends = {(send.port, str(send.source), str(send.target)) for _, send in first.asked(Send)}
    assert ends == {(NIC, "fe80::1", "ff02::114")}
    assert not first.answering("eth1")


def test_over_unicast_only_nodes_on_the_link_are_told() -> None:
    """Each frame goes to every node's address on the link; a port with none is no segment."""
    peers = {
        SECOND: (ipaddress.ip_address("198.51.100.2"), ipaddress.ip_address("10.0.0.2")),
        THIRD: (ipaddress.ip_address("10.0.0.3"),),
    }
    plan = replace(desired(FIRST, wish()), transport=Transport.UNICAST, peers=peers)
    first = Member(FIRST, 1, plan)
    two_ports(first)
    lan = Lan(first)
    lan.run(1.0)
    assert {str(send.target) for _, send in first.asked(Send)} == {"10.0.0.2", "10.0.0.3"}
    assert first.answering() == {VIP}
    assert not first.answering("eth1")
    assert [one.state for one in first.vips.snapshot(0.0).segments] == ["member", "none"]


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda plan: plan, False),
        (lambda plan: replace(plan, named_interfaces=frozenset({NIC})), True),
        (lambda plan: replace(plan, internal_addresses=frozenset({port(1).ipv4})), True),
    ],
)
def test_an_empty_segment_that_nothing_points_to_has_no_weight(
    change: Callable[[Desired], Desired], counts: bool
) -> None:
    """Without members, InternalIP and a name in an advertisement a segment is answered, not counted."""
    first = Member(FIRST, 1, change(desired(FIRST, wish())))
    lan = Lan(first)
    lan.run(1.0)
    assert first.answering() == {VIP}
    assert first.vips.snapshot(lan.now).segments[0].counted is counts
    lan.join(Member(SECOND, 2, desired(SECOND)))
    lan.run(2.0)
    assert first.vips.snapshot(lan.now).segments[0].counted


# Who else answers


def test_a_stranger_with_our_address_is_told_every_ten_seconds() -> None:
    """ARP or NA of a MAC that is no member's is a conflict, never a reason to release."""
    lan, first, *_ = three()
    for _ in range(30):
        lan.run(lan.now + 0.5)
        lan.do(first, first.vips.saw_claimant(NIC, VIP, STRANGER, lan.now))
    told = first.told(Happening.ADDRESS_CONFLICT)
    assert [event.about for event in told] == [str(STRANGER)] * 2
    assert first.answering() == {VIP}
    assert first.vips.snapshot(lan.now).owners[VIP][0].conflict == str(STRANGER)
    assert not first.vips.snapshot(lan.now + 100).owners[VIP][0].conflict


def test_a_member_that_answers_and_claims_nothing_has_a_kernel_that_does() -> None:
    """The MAC of a member that does not claim the address is told of when it is seen again."""
    lan, first, second, _ = three()
    for _ in range(2):
        assert not first.told(Happening.KERNEL_ANSWERS)  # it may be a last frame of a former owner
        assert not first.vips.snapshot(lan.now).owners[VIP][0].kernel_answers
        lan.do(first, first.vips.saw_claimant(NIC, VIP, second.ports[NIC].mac, lan.now))
        lan.run(lan.now + 3)
    assert [event.about for event in first.told(Happening.KERNEL_ANSWERS)] == [SECOND]
    assert first.vips.snapshot(lan.now).owners[VIP][0].kernel_answers == SECOND


@pytest.mark.parametrize("late_s", [0.0, 0.05], ids=["before its hello", "after its hello"])
def test_who_owned_the_address_on_the_other_side_has_no_kernel_that_answers(late_s: float) -> None:
    """What is seen of a member while contact with it comes back, split after split, accuses nobody."""
    lan, first, *others = three()
    for _ in range(5):
        first.deaf_to = {one.name for one in others}
        for other in others:
            other.deaf_to = {first.name}
        lan.run(lan.now + 0.9)
        assert others[0].answering() == {VIP}
        mac = others[0].ports[NIC].mac
        for one in (first, *others):
            one.deaf_to = set()
        lan.run(lan.now + late_s)
        lan.do(first, first.vips.saw_claimant(NIC, VIP, mac, lan.now))
        lan.run(lan.now + 0.4)
        assert not first.vips.snapshot(lan.now).owners[VIP][0].kernel_answers
    assert not first.told(Happening.KERNEL_ANSWERS)


def test_a_former_owner_may_still_be_seen() -> None:
    """Just after a takeover the old owner's frames are no sign of anything; our own never are."""
    lan, first, second, _ = three()
    lan.want(first, wishes=(wish(wanted=False),))
    lan.run(lan.now + 0.1)
    assert not second.vips.saw_claimant(NIC, VIP, first.ports[NIC].mac, lan.now)
    assert not second.vips.saw_claimant(NIC, VIP, second.ports[NIC].mac, lan.now)
    assert not first.vips.saw_claimant(NIC, VIP, STRANGER, lan.now)


def test_a_failover_is_counted() -> None:
    """Addresses taken from the dead count as failovers, those handed over do not."""
    lan, first, second, third = three()
    lan.do(first, first.vips.leave(lan.now))
    first.dead = True
    lan.run(lan.now + 1.0)
    assert second.vips.snapshot(lan.now).failovers == 0
    second.dead = True
    lan.run(lan.now + 1.0)
    assert third.vips.snapshot(lan.now).failovers == 1
    assert not third.asked(Release)
