"""All virtual routers of a host: adverts and timers find theirs, changes restart nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames.vrrp import Packet, Rejection
from orchestrator.layer2.routers.tracking import Facts
from orchestrator.layer2.routers.virtual_routers import VirtualRouters
from orchestrator.model.virtual_router import CommandTrack, InterfaceTrack, VirtualRouter
from tests.unit.layer2.routers.virtual_router_playbook import (
    LEADS,
    VIP,
    address,
    advert_of,
    packet_of,
    port,
    router,
    words,
)

NOW = 1000.0
PORTS = {"eth0": port(), "eth1": port("198.51.100.1/24", name="eth1")}


def running(*mine: VirtualRouter) -> VirtualRouters:
    """Routers that have started."""
    routers = VirtualRouters()
    routers.want(mine, NOW)
    routers.ports(PORTS, NOW)
    return routers


def states(routers: VirtualRouters) -> dict[str, str]:
    """State of each router by name."""
    return {report.name: report.state.value for report in routers.report().routers}


def test_nothing_starts_before_interfaces_are_known() -> None:
    """A start is no fault: the first state is told once interfaces are."""
    routers = VirtualRouters()
    assert routers.want([router()], NOW) == []
    assert routers.next_timer() is None
    assert words(routers.ports(PORTS, NOW)) == ["init > backup"]
    assert words(routers.want([router(), router(name="b", vrid=2)], NOW)) == ["init > backup"]


def test_an_advert_reaches_only_its_router() -> None:
    """Interface, family and VRID decide."""
    mine = {
        "a": router(name="a"),
        "other vrid": router(name="other vrid", vrid=52),
        "other family": router(name="other family", addresses=["fe80::fe/64"]),
        "other interface": router(name="other interface", interface="eth1"),
    }
    routers = running(*mine.values())
    routers.receive("eth0", packet_of(advert_of(mine["a"], 200), "192.0.2.9"), NOW)
    routers.receive("eth0", packet_of(advert_of(mine["other family"], 201), "fe80::9"), NOW)
    heard = {report.name: report.heard for report in routers.report().routers}
    first, six = heard.pop("a"), heard.pop("other family")
    assert first is not None
    assert (first.address, first.priority, first.interval_s) == (address("192.0.2.9"), 200, 1.0)
    assert six is not None
    assert six.priority == 201
    assert set(heard.values()) == {None}


def test_what_belongs_to_no_router_is_counted_by_port() -> None:
    """An unknown VRID, and what cannot be read at all."""
    routers = running(router())
    stranger = packet_of(advert_of(router(vrid=9), 200), "192.0.2.9")
    routers.receive("eth0", stranger, NOW)
    routers.receive("eth1", packet_of(advert_of(router(), 200), "198.51.100.9"), NOW)
    routers.receive("eth0", replace(stranger, payload=b""), NOW)
    routers.receive("eth0", replace(stranger, ttl=1), NOW)
    assert routers.report().rejected == {
        ("eth0", Rejection.UNKNOWN_VRID): 1,
        ("eth1", Rejection.UNKNOWN_VRID): 1,
        ("eth0", Rejection.TRUNCATED): 1,
        ("eth0", Rejection.TTL): 1,
    }


@given(st.binary(max_size=40), st.integers(0, 255), st.sampled_from(["192.0.2.9", "fe80::9"]))
def test_no_packet_is_too_much(payload: bytes, ttl: int, source: str) -> None:
    """Whatever comes in is heard, or counted once with a cause."""
    routers = running(router(), router(name="six", addresses=["fe80::fe/64"]))
    group = "ff02::12" if ":" in source else "224.0.0.18"
    routers.receive("eth0", Packet(address(source), address(group), ttl, payload), NOW)
    report = routers.report()
    own = sum(r.counters.rejected.total() + r.counters.adverts_received for r in report.routers)
    assert own + sum(report.rejected.values()) == 1


def test_timers_of_many_routers_fire_each_in_its_time() -> None:
    """255 routers on one interface become Master, and then none sends in the moment of another."""
    routers = running(*(router(name=f"r{vrid}", vrid=vrid) for vrid in range(1, 256)))
    routers.handle_timer(NOW + 4)
    assert set(states(routers).values()) == {"master"}
    moments: list[float] = []
    due = routers.next_timer()
    while due is not None and due < NOW + 4 + 1.99:
        sent = words(routers.handle_timer(due))
        moments += [due] * len(sent)
        due = routers.next_timer()
    first_turn = [moment for moment in moments if moment <= NOW + 5]
    assert len(first_turn) == len(set(first_turn)) == 255


def test_a_down_timer_that_was_put_off_does_not_fire() -> None:
    """The queue of timers knows that an advert came in."""
    routers = running(router())
    packet = packet_of(advert_of(router(), 200), "192.0.2.9")
    for second in range(1, 10):
        assert routers.handle_timer(NOW + second) == []
        routers.receive("eth0", packet, NOW + second)
    assert routers.next_timer() == NOW + 9 + 3 + 156 / 256
    assert words(routers.handle_timer(NOW + 13)) == LEADS


def test_the_same_wish_changes_nothing() -> None:
    """Told again what it does already, it does nothing."""
    routers = running(router())
    before = routers.next_timer()
    assert routers.want([router()], NOW + 1) == []
    assert routers.ports(PORTS, NOW + 1) == []
    assert routers.next_timer() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 50},
        {"preempt": False},
        {"notify": ("/etc/notify",)},
        {"track": (CommandTrack(("/usr/bin/works",)),)},
        {"password": "word"},
        {"advert_interval_ms": 500},
        {"sync_group": "alone"},
    ],
)
def test_a_change_restarts_no_election(changes: dict[str, object]) -> None:
    """A Master stays Master, and releases nothing."""
    routers = running(router())
    routers.handle_timer(NOW + 4)
    assert words(routers.want([router(**changes)], NOW + 5)) == []
    assert states(routers) == {"gw": "master"}


def test_a_removed_router_hands_over() -> None:
    """Priority 0, and its addresses when the successor is heard; adverts find it until then."""
    routers = running(router())
    routers.handle_timer(NOW + 4)
    assert words(routers.want([], NOW + 5)) == ["advert 0", "master > init"]
    successor = packet_of(advert_of(router(), 50), "192.0.2.9")
    assert words(routers.receive("eth0", successor, NOW + 5.5)) == [f"release {VIP}"]
    assert routers.next_timer() is None
    routers.receive("eth0", successor, NOW + 6)
    assert routers.report().rejected == {("eth0", Rejection.UNKNOWN_VRID): 1}


def test_a_router_that_comes_back_begins_anew() -> None:
    """Removed and wanted again within the second, it releases first and then listens."""
    routers = running(router())
    routers.handle_timer(NOW + 4)
    routers.want([], NOW + 5)
    again = words(routers.want([router()], NOW + 5.5))
    assert again == [f"release {VIP}", "init > backup"]
    assert words(routers.handle_timer(NOW + 9.5)) == LEADS


def test_an_address_that_moves_to_another_router_of_this_host_stays() -> None:
    """The one that hands over releases before the other takes, never after."""
    routers = running(router(advert_interval_ms=100))
    routers.handle_timer(NOW + 1)
    routers.want([router(advert_interval_ms=100, vrid=52)], NOW + 2)
    done = words(routers.handle_timer(NOW + 2.9))
    assert done == [f"release {VIP}", *LEADS]
    assert "release" not in " ".join(words(routers.handle_timer(NOW + 4)))


def test_leaving_is_finished_when_the_last_has_handed_over() -> None:
    """A Backup leaves at once, a Master within a second."""
    routers = running(router(), router(name="b", vrid=52, addresses=["192.0.2.200/24"]))
    routers.receive("eth0", packet_of(advert_of(router(), 200), "192.0.2.9"), NOW + 3)
    routers.handle_timer(NOW + 4)
    assert states(routers) == {"gw": "backup", "b": "master"}
    assert words(routers.leave(NOW + 5)) == ["backup > init", "advert 0", "master > init"]
    assert not routers.finished
    due = routers.next_timer()
    assert due == NOW + 6
    assert words(routers.handle_timer(due)) == ["release 192.0.2.200"]
    assert routers.finished


def test_only_who_slept_too_long_steps_back() -> None:
    """A pause that no other router noticed is no reason to give up anything."""
    fast = router(name="fast", vrid=52, advert_interval_ms=100)
    routers = running(router(), fast)
    routers.handle_timer(NOW + 4)
    routers.step_back(NOW + 5, slept_s=0.5)
    assert states(routers) == {"gw": "master", "fast": "backup"}
    routers.step_back(NOW + 10)
    assert states(routers) == {"gw": "backup", "fast": "backup"}


def test_tracked_interfaces_are_those_that_are_known() -> None:
    """A port that goes down takes the router down; what is no port is told as a fact."""
    tracked = (InterfaceTrack("eth1"), InterfaceTrack("ppp0", -30))
    routers = running(router(track=tracked))
    assert routers.report().routers[0].effective_priority == 70
    routers.track(Facts(interfaces={"ppp0": True}), NOW)
    assert routers.report().routers[0].effective_priority == 100
    routers.ports({**PORTS, "eth1": port(name="eth1", up=False)}, NOW)
    report = routers.report().routers[0]
    assert (report.state.value, report.reason) == ("fault", "eth1 is down")


def test_a_router_starts_with_the_first_result_it_needs() -> None:
    """INIT until then, without a word to notify commands."""
    command = ("/usr/bin/works",)
    routers = running(router(track=(CommandTrack(command),)))
    assert states(routers) == {"gw": "init"}
    assert routers.report().routers[0].reason == "no result yet of /usr/bin/works"
    assert words(routers.track(Facts(commands={command: True}), NOW)) == ["init > backup"]


def test_the_report_tells_all() -> None:
    """States with their reason and time, who was heard, and counters by keepalived's names."""
    routers = running(router(excluded_addresses=["10.0.0.1/32"]))
    for priority in (200, 0):
        packet = packet_of(advert_of(router(), priority), "192.0.2.9")
        routers.receive("eth0", packet, NOW + 1)
    routers.handle_timer(NOW + 4)
    routers.receive("eth0", packet_of(advert_of(router(), 200), "192.0.2.9"), NOW + 6)
    report = routers.report().routers[0]
    assert (report.interface, report.vrid, report.version) == ("eth0", 51, 3)
    assert (report.state.value, report.since) == ("backup", NOW + 6)
    assert report.reason == "192.0.2.9 has priority 200"
    assert report.addresses == (address(VIP), address("10.0.0.1"))
    counters = report.counters
    assert (counters.adverts_received, counters.priority_zero_received) == (3, 1)
    assert (counters.became_master, counters.released_master) == (1, 1)
    assert (counters.adverts_sent, counters.priority_zero_sent) == (2, 0)
