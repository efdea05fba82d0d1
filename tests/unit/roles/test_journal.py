"""The journal keeps the newest changes and lets nobody hold it up."""

from __future__ import annotations

import asyncio
import logging

import pytest

from orchestrator.model.change import Change
from orchestrator.roles.journal import FOLLOWER_QUEUE, KEPT, LOGGED_AT_ONCE, Journal


def change(number: int) -> Change:
    """Make a change that can be told apart."""
    return Change("vip", None, "announced", service=f"default/s{number}")


def test_newest_come_first_and_the_oldest_go() -> None:
    """The last 1,000 are kept, newest first, with every key and the time."""
    journal = Journal()
    journal.record(change(number) for number in range(KEPT + 5))
    events = journal.latest()
    assert len(events) == KEPT
    assert events[0]["service"] == f"default/s{KEPT + 4}"
    assert set(events[0]) == {
        *("time", "kind", "service", "vip", "node", "peer", "old", "new", "reason", "message")
    }


def test_a_storm_is_not_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    """Of thousands of changes at once a hundred are logged, and one line says there were more."""
    with caplog.at_level(logging.INFO):
        Journal().record(change(number) for number in range(5000))
    assert len(caplog.records) == LOGGED_AT_ONCE + 1
    assert "more changes" in caplog.records[-1].getMessage()


def test_followers_see_what_happens_and_slow_ones_are_dropped() -> None:
    """A follower gets new events in order; one that does not read is ended, not waited for."""

    async def scene() -> None:
        journal = Journal()
        follower = journal.follow()
        first = asyncio.ensure_future(anext(follower))
        await asyncio.sleep(0)
        journal.record([change(1)])
        assert (await first)["service"] == "default/s1"
        journal.record(change(number) for number in range(FOLLOWER_QUEUE + 10))
        seen = [event async for event in follower]
        assert len(seen) == FOLLOWER_QUEUE + 1
        journal.record([change(2)])

    asyncio.run(scene())
