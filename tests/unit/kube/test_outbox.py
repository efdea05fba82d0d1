"""Which writes go out when, and which of them again."""

from __future__ import annotations

import pytest

from orchestrator.kube.outbox import Outbox, Outcome, Rank
from orchestrator.kube.writes import Write


def write(label: str, text: str = "") -> Write:
    """A write about something."""
    return Write(label, "PATCH", f"/{label}", {"text": text})


def outbox(at_once: int = 2, most: int = 100) -> Outbox:
    """An outbox whose chances are always in the middle."""
    return Outbox(lambda low, high: (low + high) / 2, at_once, most)


def labels(writes: list[Write]) -> list[str]:
    """What writes are about."""
    return [one.label for one in writes]


def test_what_changes_the_network_goes_first() -> None:
    """By rank, then in the order of coming, and no more than so many at once."""
    box = outbox()
    box.put(write("report"), Rank.REPORT)
    box.put(write("event"), Rank.EVENT)
    box.put(write("a"), Rank.NETWORK)
    box.put(write("b"), Rank.NETWORK)
    assert labels(box.take(0.0)) == ["a", "b"]
    assert box.take(0.0) == []
    assert box.done("a", 200, 0.0, 0.1) is Outcome.DONE
    assert labels(box.take(0.1)) == ["event"]
    box.done("event", 201, 0.0, 0.2)
    assert labels(box.take(0.2)) == ["report"]


def test_the_newest_of_a_label_counts() -> None:
    """A write that waits is replaced; while one is under way the newest waits for its end."""
    box = outbox()
    box.put(write("a", "1"), Rank.NETWORK)
    box.put(write("a", "2"), Rank.NETWORK)
    assert box.take(0.0) == [write("a", "2")]
    box.put(write("a", "3"), Rank.NETWORK)
    box.put(write("a", "4"), Rank.NETWORK)
    assert box.take(0.0) == []
    box.done("a", 200, 0.0, 0.1)
    assert box.take(0.1) == [write("a", "4")]


def test_the_same_write_again_is_none() -> None:
    """What is under way already is not sent a second time."""
    box = outbox()
    box.put(write("a", "1"), Rank.NETWORK)
    box.take(0.0)
    box.put(write("a", "1"), Rank.NETWORK)
    box.done("a", 200, 0.0, 0.1)
    assert box.take(0.1) == []
    assert len(box) == 0


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_what_is_not_taken_now_is_tried_again(status: int) -> None:
    """No answer, a busy or a failing server: the write goes out again after a wait that grows."""
    box = outbox()
    box.put(write("a"), Rank.NETWORK)
    now, waits = 0.0, []
    for _ in range(4):
        assert labels(box.take(now)) == ["a"]
        assert box.done("a", status, 0.0, now) is Outcome.AGAIN
        assert box.take(now) == []
        due = box.next_timer()
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits == [0.375, 0.75, 1.5, 3.0]


def test_a_newer_write_goes_instead_of_a_repeated_one() -> None:
    """After a failure the newest is sent, not what failed."""
    box = outbox()
    box.put(write("a", "old"), Rank.NETWORK)
    box.take(0.0)
    box.put(write("a", "new"), Rank.NETWORK)
    box.done("a", 500, 7.0, 0.0)
    assert box.next_timer() == 7.0
    assert box.take(7.0) == [write("a", "new")]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(409, Outcome.STALE), (404, Outcome.STALE), (422, Outcome.REFUSED), (403, Outcome.REFUSED)],
)
def test_what_cannot_be_right_is_dropped(status: int, outcome: Outcome) -> None:
    """A write based on an old version, or refused, is not repeated: a new plan makes another."""
    box = outbox()
    box.put(write("a"), Rank.NETWORK)
    box.take(0.0)
    assert box.done("a", status, 0.0, 0.1) is outcome
    assert box.take(100.0) == []


def test_what_is_not_wanted_any_more_is_not_repeated() -> None:
    """Dropped and cleared writes neither go out nor come back after a failure."""
    box = outbox()
    box.put(write("a"), Rank.NETWORK)
    box.take(0.0)
    box.put(write("b"), Rank.EVENT)
    box.drop("b")
    box.clear()
    box.done("a", 500, 0.0, 0.1)
    assert box.take(100.0) == []
    assert box.next_timer() is None


def test_no_more_than_so_many_wait() -> None:
    """Of too many, the oldest reports are dropped and counted; the network's writes never are."""
    box = outbox(most=4)
    for number in range(4):
        box.put(write(f"r{number}"), Rank.REPORT)
    for number in range(3):
        box.put(write(f"n{number}"), Rank.NETWORK)
    assert (len(box), box.dropped) == (4, 3)
    assert labels(box.take(0.0)) == ["n0", "n1"]
