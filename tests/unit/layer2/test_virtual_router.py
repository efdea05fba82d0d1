"""One virtual router: what RFC 9568 6.4 and RFC 3768 6.4 say, and what we do beyond them."""

from __future__ import annotations

import pytest

from orchestrator.layer2.actions import Became, Send, Take
from orchestrator.layer2.tracking import Standing
from tests.unit.layer2.virtual_router_playbook import (
    LEADS,
    VIP,
    YIELDS,
    Play,
    advert_of,
    packet_of,
    port,
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


# Faults


@pytest.mark.parametrize(
    ("changes", "at", "reason"),
    [
        ({}, None, "there is no interface eth0"),
        ({}, port(up=False), "eth0 is down"),
        ({}, port("fe80::1/64"), "eth0 has no IPv4 address"),
        (
            {"addresses": ["fe80::fe/64"]},
            port("192.0.2.1/24"),
            "eth0 has no IPv6 link-local address",
        ),
    ],
)
def test_without_a_way_to_send_it_is_at_fault(
    changes: dict[str, object], at: object, reason: str
) -> None:
    """The reason names the interface, and the state ends with it."""
    play = Play(router(**changes))
    play.lead()
    lost = play.machine.port(at, play.now)  # type: ignore[arg-type]
    assert isinstance(lost[-1], Became)
    assert (lost[-1].new.value, lost[-1].reason) == ("fault", reason)
    assert "advert 0" not in words(lost)
    assert play.left_s is None
    assert words(play.machine.port(port(), play.now)) == ["fault > backup"]
    assert play.left_s == DOWN_S


def test_a_master_that_fails_for_another_reason_says_so() -> None:
    """Something tracked is down, the link is not: priority 0 hands over within the skew."""
    play = Play(router())
    play.lead()
    failed = play.machine.stand(Standing(100, "ppp0 is down"), play.now)
    assert words(failed) == ["advert 0", f"release {VIP}", "master > fault"]
    assert play.hear(50) == []


def test_the_reason_of_a_fault_is_the_present_one() -> None:
    """A fault that another one joins is told as it is now."""
    play = Play(router())
    play.machine.stand(Standing(100, "ppp0 is down"), play.now)
    play.machine.port(port(up=False), play.now)
    assert play.machine.reason == "eth0 is down"


def test_nothing_starts_before_the_first_results() -> None:
    """What could be a fault has no result yet: INIT; one that runs goes on as it was."""
    play = Play(router())
    waiting = Standing(100, None, "/usr/bin/works")
    assert words(play.machine.stand(waiting, play.now)) == []
    assert play.machine.state.value == "backup"
    play.machine.stand(Standing(100, "/usr/bin/works is down"), play.now)
    assert words(play.machine.stand(waiting, play.now)) == []
    assert play.machine.state.value == "fault"
    assert play.machine.reason == "no result yet of /usr/bin/works"


# Changes at run time


def test_a_new_priority_goes_out_with_the_next_advert() -> None:
    """No election starts; what is heard is compared with it at once."""
    play = Play(router())
    play.lead()
    assert play.machine.stand(Standing(150), play.now) == []
    assert play.hear(120) == ["advert 150", f"announce {VIP}"]
    play.machine.stand(Standing(110), play.now)
    assert play.wait(1) == ["advert 110"]


def test_new_addresses_are_taken_and_old_ones_released_without_an_election() -> None:
    """A Master stays one."""
    play = Play(router())
    play.lead()
    changed = router(
        addresses=["192.0.2.254/24", "192.0.2.253/24"], excluded_addresses=["10.0.0.1"]
    )
    assert words(play.machine.want(changed, Standing(100), play.now)) == [
        "take 192.0.2.253",
        "take 10.0.0.1",
    ]
    assert words(play.machine.want(router(), Standing(100), play.now)) == [
        "release 192.0.2.253",
        "release 10.0.0.1",
    ]


def test_a_shorter_interval_holds_at_once() -> None:
    """A Master does not wait for the end of the longer one."""
    play = Play(router(advert_interval_ms=40_000))
    play.lead()
    play.machine.want(router(advert_interval_ms=100), Standing(100), play.now)
    assert play.left_s == pytest.approx(0.1)


def test_a_new_own_address_is_sent_from_at_once() -> None:
    """The next advert is from it, with the checksum that belongs to it."""
    play = Play(router())
    play.lead()
    play.machine.port(port("192.0.2.7/24"), play.now)
    assert play.wait(1) == ["advert 100"]
    assert play.hear(100, "192.0.2.9") == YIELDS


# What is sent


def sends(play: Play) -> list[Send]:
    """The packets of one advert of a Master."""
    play.wait(play.left_s or 0.0)
    due = play.machine.next_timer()
    assert due is not None
    return [action for action in play.machine.handle_timer(due) if isinstance(action, Send)]


def test_adverts_go_to_the_group_of_their_family() -> None:
    """224.0.0.18 from the primary address, ff02::12 from the link-local one."""
    four, six = (
        sends(Play(router())),
        sends(Play(router(addresses=["fe80::fe/64", "2001:db8::1/64"]))),
    )
    assert [(str(s.source), str(s.target)) for s in four] == [("192.0.2.100", "224.0.0.18")]
    assert [(str(s.source), str(s.target)) for s in six] == [("fe80::100", "ff02::12")]


def test_adverts_go_to_every_peer_instead() -> None:
    """Unicast peers each get a packet; it counts as one advert."""
    peers = tuple(packet_of(advert_of(router(), 1), f"192.0.2.{last}").source for last in (7, 8))
    play = Play(router(unicast_peers=peers))
    assert tuple(send.target for send in sends(play)) == peers
    assert play.machine.counters.adverts_sent == 2


@pytest.mark.parametrize(
    ("addresses", "mac"),
    [(["192.0.2.254/24"], "00:00:5e:00:01:33"), (["fe80::fe/64"], "00:00:5e:00:02:33")],
)
def test_the_virtual_mac_is_for_sending_and_answering(addresses: list[str], mac: str) -> None:
    """RFC 9568 7.3: one MAC for the VRID and family, where it is asked for."""
    play = Play(router(virtual_mac=True, addresses=addresses))
    due = play.machine.next_timer()
    assert due is not None
    led = play.machine.handle_timer(due)
    assert {str(a.mac) for a in led if isinstance(a, Send | Take)} == {mac}


def test_excluded_addresses_are_taken_and_not_advertised() -> None:
    """They come and go with the others, whose list the other routers compare."""
    mine = router(excluded_addresses=["198.51.100.1/32"])
    play = Play(mine)
    assert play.wait(DOWN_S)[1:3] == [f"take {VIP}", "take 198.51.100.1"]
    assert packet_of(advert_of(router(), 100), "192.0.2.100").payload == sends(play)[0].payload
