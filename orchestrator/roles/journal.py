"""The journal: the last state changes, for logs, `events` and those who follow."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from typing import Any

from orchestrator.adapters import clock
from orchestrator.model.change import Change

LOG = logging.getLogger("orchestrator.events")
KEPT = 1000
"""State changes that are kept and shown (CLI.md)."""
LOGGED_AT_ONCE = 100
"""Changes of one moment that are logged a line each; the rest is one line with their number."""
FOLLOWER_QUEUE = 2000
"""A follower that is this far behind is dropped."""

Event = dict[str, Any]


class Journal:
    """Takes changes, keeps the newest, and hands them to followers."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._followers: set[asyncio.Queue[Event | None]] = set()

    def record(self, changes: Iterable[Change]) -> None:
        """Note `changes` as having happened now."""
        for number, change in enumerate(changes):
            event = {"time": clock.wall(), **asdict(change)}
            self._events.appendleft(event)
            self._tell(event)
            if number < LOGGED_AT_ONCE:
                _log(change)
            elif number == LOGGED_AT_ONCE:
                LOG.info("more changes at once than are logged; see `orchestrator events`")

    def latest(self) -> list[Event]:
        """Return the kept events, newest first."""
        return list(self._events)

    async def follow(self) -> AsyncIterator[Event]:
        """Yield events from now on, until the follower is too slow or stops."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._followers.discard(queue)

    def _tell(self, event: Event) -> None:
        for queue in tuple(self._followers):
            if queue.qsize() > FOLLOWER_QUEUE:
                self._followers.discard(queue)
                queue.put_nowait(None)
            queue.put_nowait(event)


def _log(change: Change) -> None:
    fields = {key: value for key, value in asdict(change).items() if value and key != "message"}
    words = f"{change.kind} {change.old or 'new'} -> {change.new or 'gone'}"
    LOG.info("%s%s", words, f": {change.message}" if change.message else "", extra=fields)
