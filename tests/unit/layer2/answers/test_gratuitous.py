"""When the segment is told where an address is."""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter

from orchestrator.layer2.answers.gratuitous import CHUNK, RATE, Schedule, frames_of
from orchestrator.model.address import IPAddress

VIP = ipaddress.ip_address("192.0.2.254")
OTHER = ipaddress.ip_address("2001:db8::254")
MANY = [ipaddress.ip_address("198.18.0.0") + number for number in range(1000)]


def told(schedule: Schedule, now: float) -> list[IPAddress]:
    """Return the addresses that are announced now, each once."""
    return list(dict.fromkeys(address for address, _ in schedule.due(now)))


def rounds(schedule: Schedule, until: float) -> list[tuple[float, IPAddress]]:
    """Let time go on to `until`, and return what was announced when."""
    found = []
    now = 0.0
    while (timer := schedule.next_timer()) is not None and timer <= until:
        now = max(now, timer)
        found += [(now, address) for address in told(schedule, now)]
    return found


def test_rounds_of_one_address() -> None:
    """At 0, 50 ms, 1 s, 5 s, then every 60 s."""
    schedule = Schedule()
    schedule.start(VIP, 0.0)
    assert [now for now, _ in rounds(schedule, 130)] == [0, 0.05, 1, 5, 65, 125]


def test_what_is_stopped_is_told_no_longer() -> None:
    """Neither the first round nor a repeat of a released address goes out."""
    schedule = Schedule()
    for address in (VIP, OTHER):
        schedule.start(address, 0.0)
    schedule.stop(VIP)
    assert told(schedule, 0.0) == [OTHER]
    schedule.stop(OTHER)
    assert schedule.next_timer() is None


def test_a_restart_drops_what_was_to_come() -> None:
    """An address announced anew is not announced by its earlier rounds as well."""
    schedule = Schedule()
    schedule.start(VIP, 0.0)
    assert told(schedule, 0.0) == [VIP]
    schedule.start(VIP, 0.03)
    assert [now for now, _ in rounds(schedule, 4)] == [0.03, 0.08, 1.03]


def test_what_is_put_off_comes_later() -> None:
    """The next round waits for a second at least; the rounds after it keep to their times."""
    schedule = Schedule()
    schedule.start(VIP, 0.0)
    assert rounds(schedule, 0.5) == [(0.0, VIP), (0.05, VIP)]
    schedule.put_off(VIP, 0.9)
    schedule.put_off(OTHER, 0.9)
    assert [now for now, _ in rounds(schedule, 70)] == [1.9, 5, 65]


def frames(address: IPAddress, forms: slice) -> int:
    """Count the frames of a round of an address."""
    return len(range(frames_of(address))[forms])


def test_the_first_round_comes_in_chunks_at_once() -> None:
    """The caller looks at its timers after every 256 frames; nothing waits, and nothing is left out."""
    schedule = Schedule()
    for address in MANY:
        schedule.start(address, 7.0)
    chunks = []
    while (timer := schedule.next_timer()) is not None and timer <= 7.0:
        chunks.append(schedule.due(7.0))
    assert max(sum(frames(*one) for one in chunk) for chunk in chunks) <= CHUNK
    sent = Counter[IPAddress]()
    for one in itertools.chain.from_iterable(chunks):
        sent[one.address] += frames(*one)
    assert sent == {address: frames_of(address) for address in MANY}


def test_every_address_is_told_once_before_any_is_told_again() -> None:
    """The second form of an ARP announcement waits until all have had their first."""
    schedule = Schedule()
    for address in MANY:
        schedule.start(address, 7.0)
    order: list[IPAddress] = []
    while (timer := schedule.next_timer()) is not None and timer <= 7.0:
        order += [address for address, _ in schedule.due(7.0)]
    assert order == [*MANY, *MANY]


def test_repeats_are_paced() -> None:
    """1,000 addresses are repeated at no more than 10,000 frames a second, each once."""
    schedule = Schedule()
    for address in MANY:
        schedule.start(address, 0.0)
    rounds(schedule, 0.0)
    repeats = rounds(schedule, 0.9)
    assert Counter(address for _, address in repeats) == Counter(MANY)
    took = repeats[-1][0] - repeats[0][0]
    assert 0.95 < took * RATE / (len(MANY) * frames_of(VIP)) < 1.05


def test_newly_taken_come_first() -> None:
    """A takeover does not wait for the repeats of an earlier one."""
    schedule = Schedule()
    for address in MANY:
        schedule.start(address, 0.0)
    rounds(schedule, 0.0)
    told(schedule, 0.05)
    schedule.start(OTHER, 0.051)
    assert told(schedule, 0.051)[0] == OTHER


def test_lateness_is_not_made_up_for() -> None:
    """After a long pause one round goes out, not all that were missed."""
    schedule = Schedule()
    schedule.start(VIP, 0.0)
    rounds(schedule, 5)
    assert told(schedule, 1000.0) == [VIP]
    assert told(schedule, 1000.1) == []
    assert schedule.next_timer() == 1060.0


def test_nothing_is_left_after_clear() -> None:
    """A port that goes down is told nothing."""
    schedule = Schedule()
    for address in (VIP, OTHER):
        schedule.start(address, 0.0)
        told(schedule, 0.0)
    schedule.start(VIP, 0.0)
    schedule.clear()
    assert (schedule.next_timer(), told(schedule, 100.0)) == (None, [])
