"""Shared VIPs on one segment: who claims what, when, and who gives way (DESIGN 8.1)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from orchestrator.layer2.actions import Announce, Happening, Release, Send, Take
from orchestrator.model.layer2_desired import Desired, Wish
from tests.unit.layer2.shared.shared_lan import NIC, VIP, Lan, Member, desired, port, ranked, wish

FIRST, SECOND, THIRD = ranked()
LISTEN_S = 0.3
DEAD_S = 0.32
"""Three of the default intervals, and the time that a hello may be late."""
SLOT_S = 0.02
HOLD_S = 5.0


def members(*wishes: Wish) -> list[Member]:
    """Three members in the order of their rank, that want the same."""
    return [Member(name, at + 1, desired(name, *wishes)) for at, name in enumerate(ranked())]


def settled(*wishes: Wish) -> tuple[Lan, Member, Member, Member]:
    """Three members that have been there for a while."""
    first, second, third = members(*(wishes or (wish(),)))
    lan = Lan(first, second, third)
    lan.run(10.0)
    return lan, first, second, third


def took_at(member: Member) -> list[float]:
    """When a member took the address."""
    return [at for at, take in member.asked(Take) if take.address == VIP]


def test_the_first_candidate_claims_after_listening() -> None:
    """Members that start together listen for three intervals, then the first takes the address."""
    first, second, third = members(wish())
    lan = Lan(first, second, third)
    lan.run(0.299)
    assert not first.answering()
    lan.run(1.0)
    assert took_at(first) == [pytest.approx(LISTEN_S)]
    assert not second.asked(Take) + third.asked(Take)


def test_nothing_is_claimed_before_a_complete_plan() -> None:
    """A node that does not know yet what it may own says that it lives, and owns nothing."""
    first = Member(FIRST, 1, Desired(FIRST, complete=False, wishes=(wish(),)))
    lan = Lan(first)
    lan.run(3.0)
    assert not first.answering()
    assert lan.sent
    lan.want(first, complete=True)
    assert first.answering() == {VIP}


def test_a_plan_that_is_not_complete_takes_nothing_away() -> None:
    """A speaker that starts anew and does not know its plan yet moves no address."""
    lan, first, *_ = settled()
    lan.want(first, complete=False, wishes=())
    lan.run(lan.now + 3.0)
    assert first.answering() == {VIP}


def test_the_second_takes_over_three_intervals_after_the_last_hello() -> None:
    """When the claimant is silent, the next candidate takes over once it is dead, nobody else does."""
    lan, first, second, third = settled()
    first.dead = True
    heard = max(at for at, _ in first.asked(Send))
    lan.run(lan.now + 2.0)
    assert took_at(second) == [pytest.approx(heard + DEAD_S)]
    assert not third.asked(Take)


def test_a_candidate_that_does_not_want_costs_one_slot() -> None:
    """The third takes over a slot later when the second, alive, has no use for the address."""
    lan, first, second, third = settled()
    lan.want(second, wishes=(wish(wanted=False),))
    first.dead = True
    heard = max(at for at, _ in first.asked(Send))
    lan.run(lan.now + 2.0)
    assert took_at(third) == [pytest.approx(heard + DEAD_S + SLOT_S)]


def test_without_node_objects_all_living_members_are_candidates() -> None:
    """Where candidates are not known, the hash orders those that are heard."""
    alone = Wish(VIP, VIP, wanted=True)
    lan, first, second, _ = settled(alone)
    assert first.answering() == {VIP}
    first.dead = True
    lan.run(lan.now + 1.0)
    assert second.answering() == {VIP}


def test_a_thousand_addresses_are_taken_in_one_turn_in_order() -> None:
    """All of a dead claimant's addresses are taken at its death, in the order of the plan."""
    vips = [ipaddress.ip_address("192.0.2.1") + at for at in range(1000)]
    wishes = [Wish(vip, VIP, wanted=True, candidates=tuple(ranked())) for vip in vips]
    lan, first, second, _ = settled(*wishes)
    assert first.answering() == set(vips)
    first.dead = True
    lan.run(lan.now + 1.0)
    takes = second.asked(Take)
    assert [take.address for _, take in takes] == vips
    assert len({at for at, _ in takes}) == 1
    assert max(len(send.payload) for _, send in second.asked(Send)) <= 1400


def test_a_score_is_before_the_hash() -> None:
    """A preferred node is the owner, whatever its hash."""
    order = (THIRD, FIRST, SECOND)
    plain = Wish(VIP, VIP, wanted=True, candidates=order)
    three = members(plain)
    three[2].desired = desired(THIRD, replace(plain, score=10))
    Lan(*three).run(6.0)
    assert [one.answering() for one in three] == [set(), set(), {VIP}]


def test_an_address_is_not_wanted_where_its_interface_is_missing() -> None:
    """A wish that names other interfaces holds on none of these segments."""
    lan, first, second, _ = settled()
    lan.want(first, wishes=(replace(wish(), interfaces=frozenset({"eth7"})),))
    lan.run(lan.now + 1.0)
    assert not first.answering()
    assert second.answering() == {VIP}


# Handing over


def test_a_node_that_leaves_answers_until_its_successor_is_heard() -> None:
    """A clean stop leaves no moment without an answer, and ends at once when somebody took over."""
    lan, first, second, _ = settled()
    lan.do(first, first.vips.leave(lan.now))
    assert second.answering() == {VIP}
    assert not first.answering()
    assert first.vips.finished
    (taken,), (released,) = second.asked(Take), first.asked(Release)
    assert taken[0] <= released[0]


def test_a_node_that_leaves_without_a_successor_ends_after_a_second() -> None:
    """When nobody else wants the address, it is answered for one more second."""
    lan, first, second, third = settled()
    for other in (second, third):
        lan.want(other, wishes=(wish(wanted=False),))
    lan.do(first, first.vips.leave(lan.now))
    start = lan.now
    lan.run(start + 0.99)
    assert first.answering() == {VIP}
    assert not first.vips.finished
    lan.run(start + 1.01)
    assert not first.answering()
    assert first.vips.finished


def test_those_who_stay_are_not_isolated_by_one_that_leaves() -> None:
    """The last other member that says good-bye is no sign of a broken link."""
    lan, first, second, third = settled()
    for one in (first, second):
        lan.do(one, one.vips.leave(lan.now))
        one.dead = True
    lan.run(lan.now + 1.0)
    assert third.answering() == {VIP}
    assert not third.told(Happening.ISOLATED)


def test_what_is_not_wanted_any_more_is_handed_over() -> None:
    """A node that drains, or is not well, answers until another one does."""
    lan, first, second, _ = settled()
    lan.want(first, wishes=(wish(wanted=False),))
    lan.run(lan.now + 0.1)
    assert not first.answering()
    assert second.answering() == {VIP}
    assert second.asked(Take)[0][0] <= first.asked(Release)[0][0]


def test_an_address_that_is_gone_is_released_at_once() -> None:
    """An address that no Service has any more is not answered for."""
    lan, first, *_ = settled()
    lan.want(first, wishes=())
    assert not first.answering()


# Preemption


@pytest.mark.parametrize("delay_s", [0.0, 1.0, HOLD_S])
def test_the_best_takes_back_after_it_was_heard_for_the_delay(delay_s: float) -> None:
    """A better node preempts when it has been up and heard for `preemptDelay`; 0 is after listening."""
    lan, first, second, _ = settled()
    first.dead = True
    lan.run(lan.now + 1.0)
    again = Member(FIRST, 1, replace(first.desired, preempt_delay_s=delay_s), boot=9)
    lan.members.remove(first)
    start = lan.now
    lan.join(again)
    lan.run(start + 8.0)
    (taken,) = took_at(again)
    assert taken - start == pytest.approx(max(delay_s, LISTEN_S), abs=0.21)
    assert not second.answering()


def test_nothing_moves_back_to_a_worse_node() -> None:
    """A node that comes back and is not better leaves the address where it is."""
    lan, first, _, third = settled()
    third.dead = True
    lan.run(lan.now + 1.0)
    lan.members.remove(third)
    lan.join(Member(THIRD, 3, third.desired, boot=9))
    lan.run(lan.now + 10.0)
    assert took_at(first) == [pytest.approx(LISTEN_S)]


def test_freshness_alone_moves_nothing() -> None:
    """A claimant whose plan is old keeps what the others' plans allow it."""
    lan, first, second, _ = settled()
    lan.want(first, fresh=False)
    lan.run(lan.now + 10.0)
    assert first.answering() == {VIP}
    assert not second.asked(Take)


def test_an_old_plan_cannot_keep_what_a_new_one_forbids() -> None:
    """A stale claimant that is no candidate any more is preempted at once by a fresh node."""
    lan, first, second, third = settled()
    lan.want(first, fresh=False)
    for one in (second, third):
        lan.want(one, wishes=(wish(names=(SECOND, THIRD)),))
    lan.run(lan.now + 0.2)
    assert not first.answering()
    assert second.answering() == {VIP}


def test_a_fresh_claimant_keeps_what_another_plan_forbids() -> None:
    """Where both are fresh nobody waits for agreement: the claimant's own plan counts."""
    lan, first, second, _ = settled()
    lan.want(second, wishes=(wish(names=(SECOND, THIRD)),))
    lan.run(lan.now + 1.0)
    assert first.answering() == {VIP}


# Double claims


def split_and_healed(*, provisional: bool = False) -> tuple[Lan, Member, Member]:
    """Two members that did not hear each other, both claimants, and now do."""
    first, second, _ = members(wish())
    first.deaf_to, second.deaf_to = {SECOND}, {FIRST}
    lan = Lan(second)
    lan.run(10.0)
    lan.join(first)
    if provisional:
        lan.run(lan.now + 1.0)
    else:
        # What was claimed while alone is provisional until heard; a later wish is not.
        for one in (first, second):
            lan.want(one, wishes=())
        lan.run(lan.now + HOLD_S + 1.0)
        for one in (first, second):
            lan.want(one, wishes=(wish(),))
    assert first.answering() == second.answering() == {VIP}
    first.deaf_to.clear()
    second.deaf_to.clear()
    return lan, first, second


def test_the_worse_of_two_claims_is_released_and_the_better_announced_again() -> None:
    """After a split the better claim stays, and tells clients that may have believed the other."""
    lan, first, second = split_and_healed()
    lan.run(lan.now + 0.2)
    assert first.answering() == {VIP}
    assert not second.answering()
    (released,) = [at for at, _ in second.asked(Release)[-1:]]
    assert [at for at, _ in first.asked(Announce)][-1] >= released


def test_the_better_claim_is_announced_as_soon_as_a_worse_one_is_heard() -> None:
    """A node that is heard, but hears nothing yet, may have been believed: the owner says so at once."""
    lan, first, second = split_and_healed()
    second.deaf_to.add(first.name)
    before = len(first.asked(Announce))
    lan.run(lan.now + 6)  # claims are repeated every 5 s
    assert second.answering() == {VIP}  # it does not hear that there is a better claim
    assert len(first.asked(Announce)) > before


def test_a_provisional_claim_gives_way_to_any_other() -> None:
    """What was claimed on a port that may not have forwarded yet does not take from a firm claim."""
    lan, first, second = split_and_healed(provisional=True)
    lan.want(second, wishes=())
    lan.want(second, wishes=(wish(),))
    lan.run(lan.now + 0.2)
    assert not first.answering()
    assert second.answering() == {VIP}


def test_the_loser_does_not_claim_again_while_the_better_claim_lasts() -> None:
    """One that lost because its plan was old stays away when it is fresh again, until its plan changes."""
    lan, first, second = split_and_healed()
    first.deaf_to, second.deaf_to = {SECOND}, {FIRST}
    lan.run(lan.now + 1.0)
    assert first.answering() == second.answering() == {VIP}
    lan.want(first, fresh=False)
    first.deaf_to.clear()
    second.deaf_to.clear()
    lan.run(lan.now + 0.3)
    assert second.answering() == {VIP}
    lan.want(first, fresh=True)
    lan.run(lan.now + 20.0)
    assert not first.answering()
    lan.want(first, wishes=(wish(names=(FIRST, SECOND)),))
    assert first.answering() == {VIP}


# Links and pauses


def test_a_link_that_goes_down_takes_everything_with_it() -> None:
    """Without carrier nothing is answered; when it is back, the node listens first."""
    lan, first, second, _ = settled()
    lan.do(first, first.vips.ports({NIC: port(1, up=False)}, lan.now))
    assert not first.answering()
    lan.run(lan.now + 1.0)
    assert second.answering() == {VIP}
    lan.do(first, first.vips.ports({NIC: port(1)}, lan.now))
    lan.run(lan.now + 2.0)
    assert second.answering() == {VIP}


def test_an_interface_that_is_gone_takes_everything_with_it() -> None:
    """A port that is not there any more has its addresses released."""
    lan, first, *_ = settled()
    lan.do(first, first.vips.ports({}, lan.now))
    assert not first.answering()


def test_a_node_that_slept_steps_back_before_anything_else() -> None:
    """After a pause all claims are given up, and the node listens and waits like one that is new."""
    lan, first, second, _ = settled()
    lan.members.remove(first)
    lan.run(lan.now + 1.0)
    assert second.answering() == {VIP}
    lan.members.append(first)
    lan.do(first, first.vips.step_back(lan.now))
    assert not first.answering()
    lan.run(lan.now + HOLD_S - 0.2)
    assert second.answering() == {VIP}
    lan.run(lan.now + 1.0)
    assert first.answering() == {VIP}


def test_one_that_wakes_while_it_leaves_is_done() -> None:
    """A node that slept while it handed over answers for nothing any more."""
    lan, first, second, third = settled()
    for other in (second, third):
        lan.want(other, wishes=(wish(wanted=False),))
    lan.do(first, first.vips.leave(lan.now))
    lan.do(first, first.vips.step_back(lan.now + 0.5))
    assert first.vips.finished


def test_equal_inputs_give_equal_outputs() -> None:
    """Nothing but the arguments decides: two runs of one story are the same."""

    def run() -> list[list[tuple[float, object]]]:
        lan, first, *others = settled()
        first.dead = True
        lan.run(lan.now + 2.0)
        return [list(one.log) for one in (first, *others)]

    assert run() == run()
