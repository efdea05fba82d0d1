"""Writes that wait to go to the API server: by rank, few at once, the newest of each label.

What changes the network goes before what only reports it. A write that the server does not take
now is tried again; one that is based on an old version, or cannot be right, is dropped, since a
new plan makes a better one. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from orchestrator.kube.backoff import Backoff, Spread
from orchestrator.kube.writes import Write

AT_ONCE = 8
"""Writes under way: enough to keep a server busy that takes some ms for each."""
MOST = 20_000
"""Writes that wait; beyond them reports are dropped, the oldest first."""
_AGAIN = frozenset({0, 401, 408, 429, 500, 502, 503, 504})
"""Statuses, 0 for no answer, after which the same write may be taken: a token may be replaced."""


class Rank(IntEnum):
    """What goes first."""

    NETWORK = 0
    EVENT = 1
    REPORT = 2


class Outcome(Enum):
    """What became of a write."""

    DONE = "done"
    AGAIN = "again"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(slots=True)
class _Flight:
    """A write that is under way, and the newer one of its label, if there is one."""

    write: Write
    rank: Rank
    newer: tuple[Write, Rank] | None = None
    wanted: bool = True


class Outbox:
    """Says which writes go out now; each is to be followed by `done`."""

    def __init__(self, spread: Spread, at_once: int = AT_ONCE, most: int = MOST) -> None:
        self._at_once = at_once
        self._most = most
        self._backoff = Backoff(spread)
        self._waiting: tuple[dict[str, Write], ...] = tuple({} for _ in Rank)
        self._flights: dict[str, _Flight] = {}
        self._not_before = float("-inf")
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._flights) + sum(map(len, self._waiting))

    def put(self, write: Write, rank: Rank) -> None:
        """Let a write go out; it takes the place of one of its label that has not gone yet."""
        flight = self._flights.get(write.label)
        if flight is not None:
            flight.newer = None if write == flight.write and flight.wanted else (write, rank)
            return
        for waiting in self._waiting:
            waiting.pop(write.label, None)
        self._waiting[rank][write.label] = write
        self._limit()

    def _limit(self) -> None:
        for rank in (Rank.REPORT, Rank.EVENT):
            while len(self) > self._most and self._waiting[rank]:
                del self._waiting[rank][next(iter(self._waiting[rank]))]
                self.dropped += 1

    def drop(self, label: str) -> None:
        """Want no write of this label any more; one that is under way is not repeated."""
        for waiting in self._waiting:
            waiting.pop(label, None)
        flight = self._flights.get(label)
        if flight is not None:
            flight.newer, flight.wanted = None, False

    def clear(self) -> None:
        """Want nothing any more, as who may not write any longer."""
        for waiting in self._waiting:
            waiting.clear()
        for flight in self._flights.values():
            flight.newer, flight.wanted = None, False

    def take(self, now: float) -> list[Write]:
        """Return what goes out now."""
        taken: list[Write] = []
        if now < self._not_before:
            return taken
        for rank, waiting in zip(Rank, self._waiting, strict=True):
            while waiting and len(self._flights) < self._at_once:
                write = waiting.pop(next(iter(waiting)))
                self._flights[write.label] = _Flight(write, rank)
                taken.append(write)
        return taken

    def next_timer(self) -> float | None:
        """Return when `take` is to be called though nothing was put or done; None for never."""
        waits = any(self._waiting) and len(self._flights) < self._at_once
        return self._not_before if waits else None

    def done(self, label: str, status: int, retry_after_s: float, now: float) -> Outcome:
        """Take what became of a write: its HTTP status, 0 for no answer."""
        flight = self._flights.pop(label)
        if status in _AGAIN:
            wait_s = max(self._backoff.wait_s(), retry_after_s)
            self._not_before = max(self._not_before, now + wait_s)
        else:
            self._backoff.reset()
        again = (flight.write, flight.rank) if status in _AGAIN and flight.wanted else None
        following = flight.newer or again
        if following is not None:
            self._waiting[following[1]].setdefault(label, following[0])
        return _outcome(status)


def _outcome(status: int) -> Outcome:
    if status in _AGAIN:
        return Outcome.AGAIN
    if status in (404, 409, 410):
        return Outcome.STALE
    return Outcome.DONE if 200 <= status < 300 else Outcome.REFUSED
