"""When the segment is told where an address is: at once, soon again, then every minute (DESIGN 8.3)."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.model.address import IPAddress

AGAIN_S = (0.05, 1.0, 5.0)
"""Seconds after the first round at which it is repeated: a frame may be lost, a port be slow."""
REFRESH_S = 60.0
"""Seconds between later rounds, well below the 300 s after which switches forget a port."""
CHUNK = 256
"""Frames sent before the caller looks at its timers again."""
RATE = 10_000
"""Frames a second of all repeats together: switches police broadcasts."""
_BURST_S = 64 / RATE
PUT_OFF_S = 1.0
"""Longer than another router's word that it has an address comes before its advert."""


def frames_of(address: IPAddress) -> int:
    """Return how many frames a round has: two forms of ARP, or one advertisement."""
    return 2 if address.version == 4 else 1


FIRST_FORM, OTHER_FORM, ALL_FORMS = slice(1), slice(1, None), slice(None)


class Round(NamedTuple):
    """An address to be announced now, with these of its frames."""

    address: IPAddress
    forms: slice = ALL_FORMS


class _Step(NamedTuple):
    """A round to come: the `number`th after the first, which was at `first`."""

    due: float
    order: int
    address: IPAddress
    first: float
    number: int


class Schedule:
    """The rounds of every address owned on one port; newly taken ones come first.

    Of many that are taken together each is told by its first form before any by its other.
    """

    def __init__(self) -> None:
        self._fresh: dict[IPAddress, float] = {}
        self._begun: dict[IPAddress, float] = {}
        self._steps: dict[IPAddress, _Step] = {}
        self._queue: list[_Step] = []
        self._order = itertools.count()
        self._free_at = 0.0

    def start(self, address: IPAddress, now: float) -> None:
        """Begin anew with the first round of `address`; what was still to come of it is dropped."""
        self._begun.pop(address, None)
        self._steps.pop(address, None)
        self._fresh.setdefault(address, now)

    def stop(self, address: IPAddress) -> None:
        """Tell nobody about `address` any longer."""
        for one in (self._fresh, self._begun, self._steps):
            one.pop(address, None)

    def put_off(self, address: IPAddress, now: float) -> None:
        """Repeat nothing of `address` for a while, as another may be taking it over."""
        self._begun.pop(address, None)
        step = self._steps.get(address)
        if step is not None and step.due < now + PUT_OFF_S:
            later = step._replace(due=now + PUT_OFF_S, order=next(self._order))
            self._steps[address] = later
            heapq.heappush(self._queue, later)

    def clear(self) -> None:
        """Stop all."""
        for one in (self._fresh, self._begun, self._steps):
            one.clear()
        self._queue.clear()

    def next_timer(self) -> float | None:
        """Return when `due` has something next."""
        at_once = self._fresh or self._begun
        if at_once:
            return next(iter(at_once.values()))
        self._drop_stopped()
        if not self._queue:
            return None
        return max(self._queue[0].due, self._free_at)

    def due(self, now: float, limit: int = CHUNK) -> list[Round]:
        """Take the addresses whose round is now, of about `limit` frames at most."""
        found = [Round(address, FIRST_FORM) for address in _first(self._fresh, limit)]
        for address, _ in found:
            del self._fresh[address]
            self._plan(address, now, 0, now)
            if frames_of(address) > 1:
                self._begun[address] = now
        limit -= len(found)
        others = [] if self._fresh else _first(self._begun, limit)
        for address in others:
            del self._begun[address]
            found.append(Round(address, OTHER_FORM))
        return found + self._repeats(now, limit - len(others))

    def _repeats(self, now: float, limit: int) -> list[Round]:
        found: list[Round] = []
        if now < self._free_at:
            return found
        until = now + _BURST_S
        self._free_at = now
        while limit > 0 and self._free_at < until and self._waits(now):
            step = heapq.heappop(self._queue)
            self._plan(step.address, step.first, step.number + 1, now)
            found.append(Round(step.address))
            limit -= frames_of(step.address)
            self._free_at += frames_of(step.address) / RATE
        return found

    def _waits(self, now: float) -> bool:
        self._drop_stopped()
        return bool(self._queue) and self._queue[0].due <= now

    def _drop_stopped(self) -> None:
        while self._queue and self._steps.get(self._queue[0].address) is not self._queue[0]:
            heapq.heappop(self._queue)

    def _plan(self, address: IPAddress, first: float, number: int, now: float) -> None:
        """Note the next round; one that is late is not made up for by two at once."""
        soon = number < len(AGAIN_S)
        due = max(first + AGAIN_S[number], now) if soon else now + REFRESH_S
        step = _Step(due, next(self._order), address, first, number)
        self._steps[address] = step
        heapq.heappush(self._queue, step)


def _first(addresses: Iterable[IPAddress], limit: int) -> list[IPAddress]:
    return list(itertools.islice(addresses, limit))
