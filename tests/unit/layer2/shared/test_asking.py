"""An owner asks for its addresses: who else answers for them tells only whoever asks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from orchestrator.layer2.actions import Probe
from orchestrator.layer2.shared.asking import ASK_S, AT_ONCE
from orchestrator.model.address import IPAddress
from tests.unit.layer2.shared.shared_lan import (
    NIC,
    VIP,
    Lan,
    Member,
    desired,
    ranked,
    three,
    wish,
)

(ALONE, *_) = ranked()


def rounds(member: Member) -> dict[float, list[IPAddress]]:
    """What a member asked for, by time."""
    found: dict[float, list[IPAddress]] = {}
    for at, probe in member.asked(Probe):
        found.setdefault(at, []).append(probe.address)
    return found


def owner(addresses: int) -> tuple[Lan, Member]:
    """A member that owns some addresses."""
    wishes = [wish(VIP + number, names=(ALONE,)) for number in range(addresses)]
    member = Member(ALONE, 1, desired(ALONE, *wishes))
    return Lan(member), member


def test_the_owner_asks_and_the_others_do_not() -> None:
    """An address is asked for again and again, by the one that answers for it."""
    lan, first, second, third = three()
    lan.run(lan.now + 5 * ASK_S)
    times = [at for at, addresses in rounds(first).items() if addresses == [VIP]]
    assert times == list(rounds(first))
    apart = [after - before for before, after in pairwise(times)]
    assert apart == pytest.approx([ASK_S] * len(apart), abs=1.0)
    assert len(apart) >= 3
    assert not second.asked(Probe)
    assert not third.asked(Probe)


def test_a_kernel_that_answers_is_found_by_asking() -> None:
    """When each question is answered by a member's kernel that is known before it is asked thrice."""
    lan, first, second, _ = three()
    heard = 0
    while not first.vips.snapshot(lan.now).owners[VIP][0].kernel_answers:
        lan.run(lan.now + 0.5)
        if len(first.asked(Probe)) > heard:
            heard = len(first.asked(Probe))
            assert heard <= 2
            mac = second.ports[NIC].mac
            lan.do(first, first.vips.saw_claimant(NIC, VIP, mac, lan.now))
    assert first.vips.snapshot(lan.now).owners[VIP][0].kernel_answers == second.name


def test_many_addresses_are_asked_for_in_turn() -> None:
    """Few at one time, and each as often as the others."""
    lan, member = owner(3 * AT_ONCE)
    lan.run(6.5 * ASK_S)
    assert {len(addresses) for addresses in rounds(member).values()} == {AT_ONCE}
    asked = Counter(address for addresses in rounds(member).values() for address in addresses)
    assert (len(asked), max(asked.values()) - min(asked.values())) == (3 * AT_ONCE, 0)


def test_where_somebody_was_seen_is_asked_each_time() -> None:
    """Of many addresses one at which a rival was seen is not left until its turn comes."""
    lan, member = owner(9 * AT_ONCE)
    lan.run(1.0)
    stranger, address = member.ports[NIC].mac[:-1] + b"\xff", VIP + 7 * AT_ONCE
    before = len(rounds(member))
    while len(rounds(member)) < before + 4:
        lan.run(lan.now + 1.0)
        mac = type(member.ports[NIC].mac)(stranger)
        lan.do(member, member.vips.saw_claimant(NIC, address, mac, lan.now))
    latest = list(rounds(member).values())[before:]
    assert all(address in asked and len(asked) == AT_ONCE for asked in latest)


def test_nothing_is_asked_for_that_is_given_up() -> None:
    """An address that is another's by now is not asked for, though somebody was seen there."""
    lan, first, second, _ = three()
    lan.do(first, first.vips.saw_claimant(NIC, VIP, second.ports[NIC].mac, lan.now))
    lan.want(first, wishes=(wish(wanted=False),))
    lan.run(lan.now + 1.0)
    asked = len(first.asked(Probe))
    lan.run(lan.now + 3 * ASK_S)
    assert len(first.asked(Probe)) == asked
    assert second.asked(Probe)
