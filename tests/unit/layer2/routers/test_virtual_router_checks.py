"""Receive checks that take the configuration: each refusal has its name and its counter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.layer2.frames.vrrp import Packet, Rejection
from orchestrator.model.virtual_router import VirtualRouter
from tests.unit.layer2.routers.virtual_router_playbook import (
    NIC,
    OWN,
    VIP,
    YIELDS,
    Play,
    address,
    advert_of,
    packet_of,
    port,
    router,
)

NEW = router()
OLD = router(version=2, password="word")
OPEN = router(version=2)
UNICAST = router(unicast_peers=(address("192.0.2.9"),))


def heard(mine: VirtualRouter, source: str = "192.0.2.9", to: str = "", **changes: Any) -> Packet:
    """A packet that a better router sends, changed in some fields."""
    return packet_of(advert_of(mine, 200, **changes), source, to)


@pytest.mark.parametrize(
    ("mine", "packet", "rejection"),
    [
        (NEW, replace(heard(NEW), ttl=254), Rejection.TTL),
        (NEW, replace(heard(NEW), payload=b"\x31"), Rejection.TRUNCATED),
        (NEW, heard(NEW, "192.0.2.100"), Rejection.OWN_ADVERT),
        (NEW, heard(OPEN), Rejection.OTHER_VERSION),
        (OLD, heard(NEW), Rejection.OTHER_VERSION),
        (NEW, heard(NEW, to="192.0.2.100"), Rejection.TRANSPORT),
        (NEW, heard(NEW, to="224.0.0.254"), Rejection.TRANSPORT),
        (UNICAST, heard(NEW), Rejection.TRANSPORT),
        (UNICAST, heard(NEW, "192.0.2.8", "192.0.2.100"), Rejection.UNKNOWN_PEER),
        (OLD, heard(OPEN), Rejection.AUTHENTICATION_TYPE),
        (OPEN, heard(OLD), Rejection.AUTHENTICATION_TYPE),
        (OLD, heard(OLD, password="other"), Rejection.PASSWORD),
        (OLD, heard(OLD, interval_ms=2000), Rejection.OTHER_INTERVAL),
    ],
)
def test_what_is_refused_is_counted_and_changes_nothing(
    mine: VirtualRouter, packet: Packet, rejection: Rejection
) -> None:
    """The down timer goes on, and nothing counts as received or heard."""
    play = Play(mine)
    play.wait(2)
    before = play.left_s
    assert play.machine.receive(packet, play.now) == []
    report = play.machine.report()
    assert report.counters.rejected == {rejection: 1}
    assert (report.counters.adverts_received, report.heard) == (0, None)
    assert play.left_s == before


@pytest.mark.parametrize(
    ("mine", "packet"),
    [
        (NEW, heard(NEW)),
        (NEW, heard(NEW, interval_ms=2000)),
        (NEW, heard(NEW, addresses=(address("192.0.2.1"),))),
        (OLD, heard(OLD)),
        (OPEN, heard(OPEN)),
        (UNICAST, heard(NEW, to="192.0.2.100")),
    ],
)
def test_what_is_not_refused_is_followed(mine: VirtualRouter, packet: Packet) -> None:
    """Other addresses, and in version 3 another interval, are no reason (RFC 9568 7.1)."""
    play = Play(mine)
    play.machine.receive(packet, play.now)
    assert play.machine.following
    assert not play.machine.counters.rejected


def test_differences_are_counted_though_heeded() -> None:
    """A list of addresses, and an interval, that differ have a counter each."""
    play = Play(NEW)
    for changes in ({"interval_ms": 2000}, {"addresses": (address("192.0.2.1"),)}, {}):
        play.machine.receive(heard(NEW, **changes), play.now)
    counters = play.machine.counters
    assert (counters.adverts_received, counters.interval_differences) == (3, 1)
    assert counters.address_list_errors == 1


def test_a_packet_is_checked_anew_after_a_change() -> None:
    """What was accepted is refused with a new password, and with a new own address."""
    play = Play(OLD)
    packet = heard(OLD)
    play.machine.receive(packet, play.now)
    changed = replace(OLD, password="new")
    play.machine.want(changed, play.machine._standing, play.now)
    play.machine.receive(packet, play.now)
    assert play.machine.counters.rejected == {Rejection.PASSWORD: 1}


def test_a_master_hears_who_sends_from_the_address_that_both_have() -> None:
    """The owner of an address sends from it, and a master with `bind: interface` has it as well.

    What leaves from the only address there is, its own router's too, is its own all the same.
    """
    play = Play(router(bind=NIC), port(f"{OWN}/24", f"{VIP}/24"))
    play.wait(4)
    assert play.hear(255, VIP) == YIELDS

    owner = Play(router(priority=255), port(f"{VIP}/24"))
    assert owner.hear(255, VIP) == []
    assert owner.machine.report().counters.rejected == {Rejection.OWN_ADVERT: 1}
