"""One virtual router: what RFC 9568 6.4 and RFC 3768 6.4 say, and what we do beyond them."""

from __future__ import annotations

import pytest

from tests.unit.layer2.routers.virtual_router_playbook import (
    LEADS,
    VIP,
    YIELDS,
    Play,
    router,
    words,
)

DOWN_S = 3 + 156 / 256
"""Down interval of priority 100 at 1 s."""


# Waiting


def test_it_starts_as_backup_and_leads_after_the_down_interval() -> None:
    """Three intervals and the skew pass without an advert: it sends, takes and is Master."""
    play = Play(router())
    assert play.started == ["init > backup"]
    assert play.left_s == DOWN_S
    assert play.wait(DOWN_S) == LEADS


@pytest.mark.parametrize(
    ("version", "interval_ms", "down_s"),
    [
        (3, 10, 0.03 + 0.01 * 156 / 256),
        (3, 40_950, 3 * 40.95 + 40.95 * 156 / 256),
        (2, 1000, DOWN_S),
        (2, 10_000, 30 + 156 / 256),
    ],
)
def test_skew_is_of_the_interval_in_version_3_and_of_a_second_in_2(
    version: int, interval_ms: int, down_s: float
) -> None:
    """RFC 9568 6.1 scales the skew, RFC 3768 6.1 does not; neither is rounded."""
    play = Play(router(version=version, advert_interval_ms=interval_ms))
    assert play.left_s == pytest.approx(down_s, abs=1e-5)


def test_the_owner_leads_at_once() -> None:
    """Priority 255 does not wait (RFC 9568 6.4.1)."""
    assert Play(router(priority=255)).started == ["advert 255", f"take {VIP}", "init > master"]


@pytest.mark.parametrize("priority", [100, 101, 254])
def test_a_backup_follows_an_equal_or_better_router(priority: int) -> None:
    """Each of its adverts starts the down timer again."""
    play = Play(router())
    play.wait(3)
    assert play.hear(priority) == []
    assert play.left_s == DOWN_S


def test_the_interval_is_learnt_in_version_3() -> None:
    """The down interval is made of what the Master says, its skew too (RFC 9568 6.1)."""
    play = Play(router())
    play.hear(200, interval_ms=100)
    assert play.left_s == pytest.approx(DOWN_S / 10)


def test_what_was_learnt_is_forgotten_with_the_mastership_of_others() -> None:
    """After having been Master it begins with its own interval again."""
    play = Play(router())
    play.hear(200, interval_ms=100)
    play.wait(1)
    play.machine.step_back(play.now)
    assert play.left_s == DOWN_S


def test_a_worse_router_is_replaced() -> None:
    """Its adverts do not touch the down timer, so that it runs out."""
    play = Play(router())
    play.wait(3)
    assert play.hear(99) == []
    assert play.wait(DOWN_S - 3) == LEADS
    assert play.machine.reason == "192.0.2.9 has only priority 99"


def test_without_preemption_a_worse_router_is_followed() -> None:
    """`preempt: false` leaves a Master alone as long as it lives (RFC 9568 6.1)."""
    play = Play(router(preempt=False))
    for _ in range(10):
        assert play.wait(1) == []
        play.hear(1)
    assert play.wait(DOWN_S) == LEADS


def test_the_owner_preempts_in_any_case() -> None:
    """RFC 9568 6.1: the owner preempts independently of the setting."""
    play = Play(router(priority=255, preempt=False))
    play.hear(255, "192.0.2.101")
    assert play.machine.state.value == "backup"
    play.wait(3)
    play.hear(200)
    assert play.wait(0.1) == ["advert 255", f"take {VIP}", "backup > master"]


def test_the_preempt_delay_begins_when_a_worse_master_is_heard() -> None:
    """During the delay the worse Master is followed; then it is silent to this router."""
    play = Play(router(preempt_delay_ms=5000))
    play.wait(1)
    for _ in range(5):
        play.hear(50)
        assert play.wait(1) == []
    play.hear(50)
    assert play.left_s == pytest.approx(DOWN_S - 1)
    assert play.wait(DOWN_S - 1) == LEADS


def test_the_preempt_delay_begins_anew_after_a_better_master() -> None:
    """What was heard before a better router took over counts no more."""
    play = Play(router(preempt_delay_ms=2000))
    play.hear(50)
    play.wait(1.5)
    play.hear(200)
    play.wait(1.5)
    play.hear(50)
    assert play.left_s == DOWN_S


def test_no_delay_holds_up_an_address_that_nobody_has() -> None:
    """When the worse Master dies during the delay, the down timer decides."""
    play = Play(router(preempt_delay_ms=3_600_000))
    play.hear(50)
    assert play.wait(DOWN_S) == LEADS


def test_priority_0_leaves_the_skew_to_wait() -> None:
    """A Master that stops is replaced after the skew (RFC 9568 6.4.2)."""
    play = Play(router())
    play.hear(200)
    assert play.hear(0) == []
    assert play.left_s == pytest.approx(156 / 256)


def test_priority_0_never_lengthens_the_wait() -> None:
    """A timer that is due sooner stays."""
    play = Play(router())
    play.wait(3.5)
    play.hear(0)
    assert play.left_s == pytest.approx(DOWN_S - 3.5)


# Leading


def test_adverts_keep_to_a_schedule_that_differs_by_vrid() -> None:
    """The second advert comes after VRID + 1 256ths of an interval, then one each interval."""
    for vrid in (1, 127, 255):
        play = Play(router(vrid=vrid))
        play.wait(DOWN_S)
        assert play.left_s == pytest.approx((vrid + 1) / 256)
        play.wait((vrid + 1) / 256)
        assert play.wait(2) == ["advert 100", "advert 100"]


def test_lateness_does_not_move_the_schedule() -> None:
    """An advert sent 0.2 s late is followed by one in time; missed ones are not made up for."""
    play = Play(router())
    play.lead()
    due = play.machine.next_timer()
    assert due is not None
    play.machine.handle_timer(due + 0.2)
    assert play.machine.next_timer() == due + 1
    assert words(play.machine.handle_timer(due + 7.5)) == ["advert 100"]
    assert play.machine.next_timer() == due + 8.5


def test_a_better_router_is_told_and_followed() -> None:
    """Its last advert makes the better one repeat its gratuitous frames; then it releases."""
    play = Play(router())
    play.lead()
    assert play.hear(101, interval_ms=100) == YIELDS
    assert play.left_s == pytest.approx(DOWN_S / 10)
    assert play.machine.reason == "192.0.2.9 has priority 101"


@pytest.mark.parametrize(
    ("source", "yields"), [("192.0.2.99", False), ("192.0.2.101", True), ("192.0.2.200", True)]
)
def test_between_equals_the_higher_address_leads(source: str, yields: bool) -> None:
    """Addresses are compared as unsigned numbers in network order (RFC 9568 6.4.3)."""
    play = Play(router())
    play.lead()
    assert (play.hear(100, source)[-1:] == ["master > backup"]) is yields


def test_between_equals_the_master_stays() -> None:
    """A Backup of the same priority and a higher address does not take over."""
    play = Play(router())
    play.wait(3)
    play.hear(100, "192.0.2.1")
    assert play.left_s == DOWN_S


def test_between_two_owners_the_higher_address_leads() -> None:
    """Two of priority 255 are a wrong configuration: it is counted, and leaves one Master."""
    play = Play(router(priority=255))
    assert play.hear(255, "192.0.2.99") == ["advert 255", f"announce {VIP}"]
    assert play.hear(255, "192.0.2.101")[-1] == "master > backup"
    assert play.machine.counters.owner_conflicts == 2


def test_a_worse_router_is_answered_once_an_interval() -> None:
    """An advert at once (RFC 9568 6.4.3), but no storm; gratuitous frames once a second."""
    play = Play(router(advert_interval_ms=100))
    play.lead()
    play.wait(0.05)
    assert play.hear(50) == ["advert 100", f"announce {VIP}"]
    assert play.left_s == pytest.approx(0.1)
    assert play.hear(50) == []
    play.wait(0.1)
    assert play.hear(50) == ["advert 100"]
    assert play.wait(0.95).count(f"announce {VIP}") == 1
    play.wait(1)
    assert play.hear(50)[-1] == f"announce {VIP}"


def test_gratuitous_frames_that_came_too_soon_are_made_up_for() -> None:
    """The rival's last word may have come just after them: they follow with an advert, once."""
    play = Play(router(advert_interval_ms=100))
    play.lead()
    for _ in range(2):
        play.hear(50)
    assert play.wait(0.95).count(f"announce {VIP}") == 0
    assert play.wait(0.1).count(f"announce {VIP}") == 1
    assert play.wait(5).count(f"announce {VIP}") == 0


def test_a_storm_of_worse_adverts_is_not_answered_in_kind() -> None:
    """Adverts go out each interval, and between two of them at most one out of turn."""
    play = Play(router(advert_interval_ms=100))
    play.lead()
    sent = 0
    for _ in range(1000):
        sent += play.wait(0.001).count("advert 100") + play.hear(1).count("advert 100")
    assert 10 <= sent <= 21


def test_priority_0_is_answered_by_a_master() -> None:
    """Who stops may have been believed: an advert and gratuitous frames."""
    play = Play(router())
    play.lead()
    assert play.hear(0) == ["advert 100", f"announce {VIP}"]


# Stopping and stalling


def test_a_master_that_stops_answers_until_its_successor_is_heard() -> None:
    """Priority 0 goes out at once, the addresses only with the successor's advert."""
    play = Play(router())
    play.lead()
    assert words(play.machine.leave(play.now)) == ["advert 0", "master > init"]
    assert not play.machine.finished
    assert play.hear(0) == []
    assert play.hear(50) == [f"release {VIP}"]
    assert play.machine.finished


def test_a_master_that_stops_waits_for_a_second_at_most() -> None:
    """Without a successor nobody has a use for the answers."""
    play = Play(router())
    play.lead()
    play.machine.leave(play.now)
    assert play.wait(0.99) == []
    assert play.wait(0.01) == [f"release {VIP}"]
    assert play.machine.finished


def test_a_backup_stops_at_once() -> None:
    """It has nothing to hand over, and says nothing."""
    play = Play(router())
    assert words(play.machine.leave(play.now)) == ["backup > init"]
    assert play.machine.finished
    assert play.hear(50) == []


def test_a_lost_interface_ends_handing_over() -> None:
    """Where nobody can ask, nothing is answered."""
    play = Play(router())
    play.lead()
    play.machine.leave(play.now)
    assert words(play.machine.port(None, play.now)) == [f"release {VIP}"]


def test_a_woken_master_steps_back_and_listens() -> None:
    """It says so, lets a Master that there may be repeat its frames, and waits a down interval."""
    play = Play(router())
    play.lead()
    play.now += 60
    stepped = words(play.machine.step_back(play.now))
    assert stepped == ["advert 0", f"release {VIP}", "master > backup"]
    assert play.left_s == DOWN_S


def test_a_woken_backup_listens() -> None:
    """Its down timer starts again, as adverts may have been lost to the pause."""
    play = Play(router())
    play.now += 60
    assert words(play.machine.step_back(play.now)) == []
    assert play.left_s == DOWN_S
