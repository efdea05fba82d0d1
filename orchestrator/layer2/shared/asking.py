"""Asks the segment for addresses that this node answers for: who else does, tells only who asks.

ARP replies and advertisements go to whoever asked, so an owner does not hear that a member's kernel
or a stranger answers its clients too (RFC 5227 2.1 asks before an address is used, for the same reason).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from orchestrator.layer2.actions import Probe
from orchestrator.layer2.shared.changes import address_of
from orchestrator.layer2.shared.claim import Key
from orchestrator.layer2.shared.sightings import Sightings
from orchestrator.layer2.shared.station import Station

ASK_S = 20.0
"""How often some are asked for: twice within the time that a rival is remembered."""
AT_ONCE = 20
"""Most addresses that are asked for at one time, so a segment hears one question a second of us."""


class Asking:
    """One segment: addresses in turn, and each time those again at which somebody was seen."""

    def __init__(self, station: Station, sightings: Sightings) -> None:
        self._station = station
        self._sightings = sightings
        self._due = float("-inf")
        self._turn: deque[Key] = deque()
        """Addresses that are still to be asked for before all are asked for anew."""

    def ask(self, now: float) -> list[Probe]:
        """Return what is to be asked now; the first time only when something was owned for a while."""
        claims = self._station.ownership.mine.claims
        if now < self._due or not claims:
            return []
        first, self._due = self._due == float("-inf"), now + ASK_S
        if first:
            return []
        again = self._sightings.lately(now)[: AT_ONCE // 2]
        asked = dict.fromkeys((*again, *self._next(claims, AT_ONCE - len(again))))
        return [Probe(self._station.port.name, address_of(key)) for key in asked]

    def _next(self, claims: Collection[Key], most: int) -> list[Key]:
        found = self._take(claims, most)
        if len(found) < most:
            self._turn = deque(claims)
            found += self._take(claims, most - len(found))
        return found

    def _take(self, claims: Collection[Key], most: int) -> list[Key]:
        found: list[Key] = []
        while self._turn and len(found) < most:
            key = self._turn.popleft()
            if key in claims:
                found.append(key)
        return found
