"""Members that hear only some of each other's frames."""

from __future__ import annotations

from orchestrator.layer2.actions import Happening, Send
from orchestrator.layer2.shared.member_frame import Kind
from tests.simulation.chances import Chances
from tests.unit.layer2.shared.shared_lan import VIP, Member, three

MINUTES = 5
LOSS_PERCENT = 20


def hellos(member: Member, since: float) -> list[float]:
    """When a member said hello."""
    sent = member.asked(Send)
    return [at for at, send in sent if at > since and send.payload[3] == Kind.HELLO]


def test_a_fifth_of_all_frames_lost_makes_nobody_dead() -> None:
    """Who misses a member asks for it in time: no one dies, and the address stays for minutes."""
    lan, *members = three()
    chances = Chances(1)
    lan.loses = lambda: chances.below(100) < LOSS_PERCENT
    lan.run(lan.now + 60 * MINUTES)
    assert not [one for one in members for _ in one.told(Happening.MEMBER_DIED)]
    assert [one.answering() for one in members] == [{VIP}, set(), set()]


def test_who_is_missed_is_asked_for_no_longer_than_it_may_live() -> None:
    """While a member is missed the others speak up to four times as often, and after its death as before."""
    lan, first, second, third = three()
    first.dead = True
    start = lan.now
    lan.run(start + 10.0)
    for other in (second, third):
        assert other.told(Happening.MEMBER_DIED)
        asked = [at for at in hellos(other, start) if at < start + 0.4]
        assert 6 <= len(asked) <= 12
        after = hellos(other, start + 1.0)
        assert 89 <= len(after) <= 91


def test_one_way_that_is_cut_for_long_is_asked_for_no_longer() -> None:
    """A member that only a third one hears is alive, and nobody asks for it all the time."""
    lan, first, second, _ = three()
    second.deaf_to = {first.name}
    lan.run(lan.now + 1.0)
    start = lan.now
    lan.run(start + 10.0)
    for member in (first, second):
        assert 99 <= len(hellos(member, start)) <= 101
