"""Virtual routers at fault and changed while they run, and what they send (DESIGN 8.2)."""

from __future__ import annotations

import pytest

from orchestrator.layer2.actions import Became, Send, Take
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.tracking import Standing
from tests.unit.layer2.routers.virtual_router_playbook import (
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
    changes: dict[str, object], at: Port | None, reason: str
) -> None:
    """The reason names the interface, and the state ends with it."""
    play = Play(router(**changes))
    play.lead()
    lost = play.machine.port(at, play.now)
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
