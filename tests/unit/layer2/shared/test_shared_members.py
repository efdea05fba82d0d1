"""Members of a segment: who lives, who is cut off, who is one too many, and whose frames count."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from itertools import pairwise

import pytest

from orchestrator.layer2.actions import Happening, Probe, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.shared.member_frame import FLAGS_AT, KIND_AT, ROUTINE, Kind
from orchestrator.layer2.shared.shared_vips import SharedVIPs
from orchestrator.model.layer2_desired import Desired
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


def refused(member: Member) -> dict[str, int]:
    """How many frames a member refused, by cause."""
    return dict(member.vips.snapshot(0.0).refused[NIC])


def hear(member: Member, send: Send, now: float, payload: bytes | None = None) -> None:
    """Let a member hear a frame, perhaps another time, or an altered one."""
    packet = Packet(send.source, send.target, TTL, payload or send.payload)
    member.log += [(now, one) for one in member.vips.receive(NIC, packet, STRANGER, now)]


# Liveness


def test_a_cut_between_two_of_three_makes_nobody_dead() -> None:
    """A member that a third one hears is alive, so no address moves."""
    lan, first, second, third = three()
    first.deaf_to, second.deaf_to = {SECOND}, {FIRST}
    lan.run(lan.now + 20.0)
    assert first.answering() == {VIP}
    assert not [one for one in (first, second, third) if one.told(Happening.MEMBER_DIED)]
    assert not second.asked(Take)


def test_no_rumour_keeps_a_dead_member_alive() -> None:
    """Members that report to each other agree that one is dead three intervals after its last hello."""
    lan, first, second, third = three()
    first.dead = True
    start = max(at for at, _ in first.asked(Send))
    lan.run(lan.now + 1.0)
    for other in (second, third):
        times = [at for at, one in other.log if one in other.told(Happening.MEMBER_DIED)]
        assert times == [pytest.approx(start + 0.32)]


def test_a_member_that_missed_a_hello_is_spoken_to_at_once() -> None:
    """Who shows that it has not heard us for more than an interval gets a hello before the next is due."""
    lan, first, second, third = three()
    lan.run(lan.now + 0.05)
    second.deaf_to = {FIRST}
    lan.run(lan.now + 0.16)
    second.deaf_to.clear()
    start = lan.now
    lan.run(start + 1.0)
    hellos = [at for at, send in first.asked(Send) if send.payload[3] == Kind.HELLO]
    times = [at for at in hellos if at > start - 0.1]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) == pytest.approx(0.025)
    assert sum(gap < 0.09 for gap in gaps) == 1
    assert not second.told(Happening.MEMBER_DIED) + third.told(Happening.MEMBER_DIED)


def test_a_claimant_that_hears_nobody_binds_nobody() -> None:
    """One whose way in is broken cannot answer clients: the next one claims, and wins it back later."""
    lan, first, second, _ = three()
    first.deaf_to = {SECOND, THIRD}
    start = lan.now
    lan.run(start + 0.6)
    assert second.answering() == {VIP}
    first.deaf_to.clear()
    lan.run(start + 0.9)
    assert first.answering() == {VIP}
    assert not second.answering()


def test_a_claimant_that_is_not_heard_is_replaced() -> None:
    """One whose way out is broken is dead to the others."""
    lan, _, second, third = three()
    second.deaf_to, third.deaf_to = {FIRST}, {FIRST}
    lan.run(lan.now + 0.5)
    assert second.answering() == {VIP}


def test_the_interval_of_the_sender_counts() -> None:
    """A member that says it speaks once a second is not dead after three of the listener's intervals."""
    lan, first, second, _ = three()
    lan.want(first, interval_s=1.0)
    lan.run(lan.now + 30.0)
    assert not second.told(Happening.MEMBER_DIED)
    first.dead = True
    lan.run(lan.now + 3.1)
    assert second.answering() == {VIP}


def test_a_crowd_speaks_less_often() -> None:
    """With more than 30 members the interval grows in proportion, and all stay alive."""
    crowd = [Member(f"n{number}", number, desired(f"n{number}")) for number in range(1, 61)]
    lan = Lan(*crowd)
    lan.run(2.0)
    lan.sent.clear()
    lan.run(4.0)
    assert len(lan.sent) == pytest.approx(60 * 2 / 0.2, rel=0.05)
    assert not crowd[0].told(Happening.MEMBER_DIED)


def test_lost_claims_are_said_again() -> None:
    """A member that shows that it does not hold another's claims hears them within two intervals."""
    lan, first, second, third = three()
    second.deaf_to = {FIRST}
    lan.want(first, wishes=(wish(), wish(ipaddress.ip_address("2001:db8::1"))))
    second.deaf_to.clear()
    start = lan.now
    lan.run(start + 0.21)
    other = ipaddress.ip_address("2001:db8::1")
    lan.want(second, wishes=(wish(), wish(other)))
    lan.want(third, wishes=(wish(), wish(other)))
    lan.run(start + 1.0)
    assert second.vips.snapshot(lan.now).owners[other][0].owner == FIRST


def routine(lan: Lan, member: Member, since: float) -> list[bool]:
    """Which hellos of a member since then may be read when there is time."""
    sent = [send.payload for at, send in member.asked(Send) if at > since]
    assert lan.now > since
    return [bool(one[FLAGS_AT] & ROUTINE) for one in sent if one[KIND_AT] == Kind.HELLO]


def test_only_a_hello_without_news_can_wait() -> None:
    """What says the same as before may be read late, but for all of a member that is not well."""
    lan, first, second, third = three()
    start = lan.now
    lan.run(start + 1.0)
    assert routine(lan, first, start) == [True] * 10
    lan.want(first, wishes=(wish(), wish(ipaddress.ip_address("2001:db8::1"))))
    lan.run(start + 1.2)
    assert routine(lan, first, start + 1.0) == [False, True]
    third.deaf_to = {FIRST}
    lan.run(start + 1.4)
    third.deaf_to = set()
    assert routine(lan, third, start + 1.2) == [True, False]
    lan.run(start + 2.0)
    lan.do(second, second.vips.leave(lan.now))
    lan.run(start + 2.1)
    assert not any(routine(lan, second, start + 2.0))


# Isolation


def isolated(**wanted: object) -> tuple[Lan, Member]:
    """The third of three members, the others having died at once."""
    lan, first, second, third = three(**wanted)
    first.dead = second.dead = True
    lan.run(lan.now + 1.05)
    return lan, third


def test_one_that_lost_all_at_once_asks_before_it_claims() -> None:
    """It claims only after its gateway has answered, whom it asks every interval."""
    lan, third = isolated(gateways={NIC: (GATEWAY,)})
    assert not third.answering()
    probes = third.asked(Probe)
    assert {probe.address for _, probe in probes} == {GATEWAY}
    assert len(probes) == pytest.approx(8, abs=1)
    assert third.vips.snapshot(lan.now).segments[0].state == "isolated"
    lan.do(third, third.vips.answered(NIC, GATEWAY, lan.now))
    assert third.answering() == {VIP}


def test_addresses_of_settings_are_asked_before_the_gateway() -> None:
    """Where Settings name addresses that are on the link, those are asked; others say nothing."""
    other, far = ipaddress.ip_address("10.0.0.77"), ipaddress.ip_address("198.51.100.1")
    lan, third = isolated(gateways={NIC: (GATEWAY,)}, check_addresses=(other, far))
    assert {probe.address for _, probe in third.asked(Probe)} == {other}
    lan.do(third, third.vips.answered(NIC, GATEWAY, lan.now))
    assert not third.answering()


def test_without_anybody_to_ask_it_claims() -> None:
    """Where no neighbor is known but members, the one that is left takes over."""
    _, third = isolated()
    assert third.answering() == {VIP}
    assert third.told(Happening.ISOLATED)


def test_an_isolated_claimant_keeps_what_it_has() -> None:
    """The owner that loses all others goes on answering, and says when they are back."""
    lan, first, second, third = three(gateways={NIC: (GATEWAY,)})
    first.deaf_to = {SECOND, THIRD}
    lan.run(lan.now + 1.0)
    assert first.answering() == {VIP}
    first.deaf_to.clear()
    lan.run(lan.now + 1.0)
    assert first.told(Happening.REJOINED)
    assert not second.answering() | third.answering()


# Names and boot ids


def test_the_later_of_two_nodes_with_one_name_stays_silent() -> None:
    """It claims and says nothing while the earlier one is there, takes its place after; both tell."""
    lan, first, *_ = three()
    twin = Member(FIRST, 8, first.desired)
    lan.join(twin)
    start = lan.now
    lan.run(start + 8.0)
    assert first.answering() == {VIP}
    assert not twin.answering()
    assert not [at for at, _ in twin.asked(Send) if at > start + 0.5]
    assert first.told(Happening.SAME_NAME)
    assert twin.told(Happening.SAME_NAME)
    assert twin.vips.snapshot(lan.now).segments[0].state == "silent"
    first.dead = True
    lan.run(lan.now + 10.0)
    assert twin.answering() == {VIP}


def test_our_own_last_frames_before_a_restart_are_no_twin() -> None:
    """A process that hears its predecessor's late frames goes on as if it had not."""
    lan, first, *_ = three()
    late = [send for _, send in first.asked(Send)][-3:]
    lan.members.remove(first)
    again = Member(FIRST, 1, first.desired, boot=9)
    lan.join(again)
    for send in late:
        hear(again, send, lan.now)
    lan.run(lan.now + 8.0)
    assert not again.told(Happening.SAME_NAME)
    assert again.answering() == {VIP}


def test_a_restart_frees_the_claims_of_the_former_process() -> None:
    """A member that is back before it was dead does not hold on to what it claimed before."""
    lan, first, second, _ = three()
    lan.members.remove(first)
    lan.run(lan.now + 0.05)
    lan.join(Member(FIRST, 1, first.desired, boot=9))
    lan.run(lan.now + 0.5)
    assert second.answering() == {VIP}


def test_no_late_frame_wins_a_name_back() -> None:
    """A frame of a process between two others, that comes when the last one has begun, is refused."""
    lan, first, second, third = three()
    lan.do(first, first.vips.leave(lan.now))
    lan.members.remove(first)
    second.deaf_to = third.deaf_to = {FIRST}
    between = Member(FIRST, 1, first.desired, boot=8)
    lan.join(between)
    lan.run(lan.now + 0.25)
    late = [send for _, send in between.asked(Send)][-1]
    lan.members.remove(between)
    second.deaf_to = third.deaf_to = set()
    last = Member(FIRST, 1, first.desired, boot=9)
    lan.join(last)
    for other in (second, third):
        hear(other, late, lan.now)
    assert refused(second)["sameName"] == 1
    lan.run(lan.now + 8.0)
    assert last.answering() == {VIP}
    assert refused(second).get("replacedBoot", 0) == 0


def restarted() -> tuple[Lan, Member, list[Send]]:
    """The second of three, after the first has restarted, and the frames of its former process."""
    lan, first, second, _ = three()
    old = [send for _, send in first.asked(Send)]
    lan.members.remove(first)
    lan.join(Member(FIRST, 1, first.desired, boot=9))
    lan.run(lan.now + 8.0)
    return lan, second, old


def test_a_boot_id_that_another_has_replaced_is_refused() -> None:
    """Recorded frames of a former process change nothing, whatever their counter."""
    lan, second, old = restarted()
    before = second.vips.snapshot(lan.now).owners
    for send in old:
        hear(second, send, lan.now)
    assert refused(second)["replacedBoot"] == len(old)
    assert second.vips.snapshot(lan.now).owners == before


def test_a_process_that_was_given_another_name() -> None:
    """A process with a new name is heard by it, and both names can begin anew after it."""
    lan, first, _, third = three()
    lan.want(third, node="d")
    lan.run(lan.now + 1.0)
    third.dead = True
    lan.run(lan.now + 1.0)
    for number, name in enumerate((THIRD, "d"), 8):
        lan.join(Member(name, number, desired(name, wish(names="abcd"))))
    lan.run(lan.now + 1.0)
    for happening in (Happening.MEMBER_DIED, Happening.MEMBER_JOINED):
        names = [event.about for event in first.told(happening)]
        assert names[-2:] == [THIRD, "d"]


def test_no_frame_counts_twice() -> None:
    """A recorded frame of a member is counted and changes nothing, also one that was never heard."""
    lan, first, second, _ = three()
    first.dead = True
    sent = [send for _, send in first.asked(Send)]
    lan.run(lan.now + 1.0)
    for send in sent:
        hear(second, send, lan.now)
    causes = refused(second)
    assert causes["replay"] + causes.get("late", 0) == len(sent)
    assert second.answering() == {VIP}
    alive = {one.node for one in second.vips.snapshot(lan.now).segments[0].members if one.alive}
    assert alive == {THIRD}


def test_frames_may_overtake_each_other() -> None:
    """A frame that comes after a later one still counts, once."""
    lan, first, second, _ = three()
    second.deaf_to = {FIRST}
    count = len(lan.sent)
    lan.want(first, wishes=())
    lan.run(lan.now + 0.11)
    late = [send for name, send in lan.sent[count:] if name == FIRST]
    for send in reversed(late):
        hear(second, send, lan.now)
    assert (
        second.answering() == {VIP} or second.vips.snapshot(lan.now).owners[VIP][0].owner != FIRST
    )
    assert not refused(second).get("replay")


def test_a_storm_of_names_does_not_push_out_who_lives() -> None:
    """Without keys anybody can invent names; there is an end to them, and known members stay."""
    lan, _, second, _ = three()
    for number in range(400):
        boot = number.to_bytes(8, "big")
        inventor = SharedVIPs(boot)
        inventor.want(Desired(f"invented-{number}"), lan.now)
        for action in inventor.ports({NIC: port(9)}, lan.now):
            if isinstance(action, Send):
                hear(second, action, lan.now)
    assert refused(second)["crowded"] > 100
    lan.run(lan.now + 5.0)
    alive = {one.node for one in second.vips.snapshot(lan.now).segments[0].members if one.alive}
    assert alive == {FIRST, THIRD}


def test_who_has_no_key_changes_nothing() -> None:
    """Frames with a wrong key are counted; the owner stays the owner."""
    lan, first, second, _ = three(keys=(b"right",))
    forged = replace(second.desired, keys=(b"wrong",), node=FIRST)
    forger = Member("x", 9, forged)
    lan.join(forger)
    lan.run(lan.now + 8.0)
    assert refused(first)["hmac"] > 10
    assert first.answering() == {VIP}
    assert {one.node for one in first.vips.snapshot(0.0).segments[0].members} == {SECOND, THIRD}


def test_keys_are_changed_without_a_move() -> None:
    """Members that accept both keys hear each other whichever is sent."""
    lan, *all_three = three(keys=(b"old",))
    for keys in ((b"old", b"new"), (b"new", b"old"), (b"new",)):
        for one in all_three:
            lan.want(one, keys=keys)
            lan.run(lan.now + 0.5)
    assert all_three[0].answering() == {VIP}
    assert not all_three[1].told(Happening.MEMBER_DIED)


def test_another_installation_is_not_heard() -> None:
    """A hello with another VRID is counted and changes nothing."""
    lan, first, *_ = three()
    lan.join(Member("x", 9, replace(desired("x", wish()), vrid=2)))
    lan.run(lan.now + 1.0)
    assert refused(first)["otherVRID"] > 5
    assert len(first.vips.snapshot(0.0).segments[0].members) == 2


def test_a_boot_id_has_eight_bytes() -> None:
    """Another length is a mistake of the caller."""
    with pytest.raises(ValueError, match="8 bytes"):
        SharedVIPs(b"short")
