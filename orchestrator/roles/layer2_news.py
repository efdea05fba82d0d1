"""What the layer2 role tells its speaker: all of it at first, then what changed, in pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from orchestrator.adapters.layer2_wire import Happened, News, Overview, OwnerNews, pieces
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import OwnerReport

Place = tuple[str, IPAddress]
"""Interface and address."""
Owners = Mapping[Place, OwnerReport]
KEPT_EVENTS = 1000
"""Events kept while no speaker listens; the oldest are dropped first."""


class Newspaper:
    """Knows what its reader was told."""

    def __init__(self) -> None:
        self._told: dict[Place, OwnerReport] | None = None
        self._events: deque[Happened] = deque(maxlen=KEPT_EVENTS)

    def happened(self, event: Happened) -> None:
        """Keep an event for the next edition."""
        self._events.append(event)

    @property
    def urgent(self) -> bool:
        """Tell whether something happened that was not told yet."""
        return bool(self._events)

    def new_reader(self) -> None:
        """Begin with everything."""
        self._told = None

    def edition(self, overview: Overview, owners: Owners) -> Iterator[News]:
        """Yield what brings the reader up to date; the last has `more` false."""
        told = self._told
        before = told or {}
        changed = (
            OwnerNews(str(place[1]), owner)
            for place, owner in owners.items()
            if before.get(place) != owner
        )
        yield News(reset=told is None, more=True)
        for owners_piece in pieces(changed):
            yield News(more=True, owners=owners_piece)
        for gone in pieces(place for place in before if place not in owners):
            yield News(more=True, gone=[(name, str(address)) for name, address in gone])
        yield News(overview=overview, events=list(self._events))
        self._told = dict(owners)
        self._events.clear()
