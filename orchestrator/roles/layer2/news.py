"""What the layer2 role tells its speaker: all of it at first, then what changed, in pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from orchestrator.adapters.layer2_wire import PIECE, Happened, News, Overview, OwnerNews, pieces
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import OwnerReport

Place = tuple[str, IPAddress]
"""Interface and address."""
Look = Callable[[Place], OwnerReport | None]
"""Says who owns a place now; None where there is no election."""
KEPT_EVENTS = 1000
"""Events kept while no speaker listens; the oldest are dropped first."""


class Newspaper:
    """Knows what its reader was told.

    An edition is made piece by piece, so that the process can look at its timers in between, and of
    many places only those that moved and a few others are looked at each time.
    """

    def __init__(self) -> None:
        self._told: dict[Place, OwnerReport] = {}
        self._new_reader = True
        self._events: deque[Happened] = deque(maxlen=KEPT_EVENTS)
        self._turn: Iterator[Place] = iter(())

    def happened(self, event: Happened) -> None:
        """Keep an event for the next edition."""
        self._events.append(event)

    def new_reader(self) -> None:
        """Begin with everything."""
        self._new_reader = True

    def edition(
        self,
        places: Mapping[Place, None],
        moved: Iterable[Place],
        look: Look,
        overview: Callable[[], Overview],
    ) -> Iterator[News]:
        """Yield what brings the reader up to date; the last has `more` false.

        `places` are all there are, `moved` those that are known to have changed.
        """
        if self._new_reader:
            self._new_reader, self._told = False, {}
            yield News(reset=True, more=True)
            looked: Iterable[Place] = places
        else:
            looked = dict.fromkeys((*moved, *self._next(places)))
        for piece in pieces(looked):
            yield self._piece(piece, look)
        events = list(self._events)
        self._events.clear()
        yield News(overview=overview(), events=events)

    def _next(self, places: Mapping[Place, None]) -> list[Place]:
        """Take the next few in turn, for their counters; what is no place any more comes too."""
        few = list(islice(self._turn, PIECE))
        if len(few) < PIECE:
            gone = [place for place in self._told if place not in places]
            self._turn = iter((*places, *gone))
        return few

    def _piece(self, piece: Iterable[Place], look: Look) -> News:
        news = News(more=True)
        for place in piece:
            owner = look(place)
            if owner is None:
                if self._told.pop(place, None) is not None:
                    news.gone.append((place[0], str(place[1])))
            elif self._told.get(place) != owner:
                self._told[place] = owner
                news.owners.append(OwnerNews(str(place[1]), owner))
        return news
