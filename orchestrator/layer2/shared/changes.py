"""What one turn changed on a segment: what to answer for, what to tell the members and people."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.layer2.actions import Action, Announce, Event, Happening, Release, Take
from orchestrator.layer2.shared.claim import Claim, Entry, Key
from orchestrator.model.address import IPAddress


@dataclass(frozen=True, slots=True)
class Turn:
    """All changes of one turn, in the order in which they are to be done."""

    releases: tuple[Action, ...] = ()
    entries: tuple[Entry, ...] = ()
    takes: tuple[Action, ...] = ()
    told: tuple[Action, ...] = ()


_NOTHING = Turn()


class Changes:
    """Collects the changes of a turn; Take and Release come in exact pairs for each address."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._answering: set[Key] = set()
        self._taken: dict[Key, None] = {}
        self._released: dict[Key, None] = {}
        self._announced: dict[Key, None] = {}
        self._entries: dict[Key, Entry] = {}
        self._events: list[Action] = []

    def say(self, key: Key, claim: Claim | None, *, yielded: bool) -> None:
        """Tell the members of a claim or its end."""
        self._entries[key] = Entry(key, claim, yielded)

    def take(self, key: Key) -> None:
        """Answer for an address, unless that is so already."""
        if key not in self._answering:
            self._answering.add(key)
            _change(self._taken, self._released, key)

    def release(self, key: Key) -> None:
        """Answer for an address no longer, if that is so."""
        if key in self._answering:
            self._answering.discard(key)
            self._announced.pop(key, None)
            _change(self._released, self._taken, key)

    def announce(self, key: Key) -> None:
        """Repeat the gratuitous frames of an address."""
        self._announced[key] = None

    def tell(
        self, happening: Happening, key: Key | None = None, about: str = "", message: str = ""
    ) -> None:
        """Tell people."""
        address = None if key is None else address_of(key)
        self._events.append(Event(self._port, happening, address, about, message))

    @property
    def answering(self) -> frozenset[Key]:
        """What is answered for."""
        return frozenset(self._answering)

    def drain(self) -> Turn:
        """Return what was collected, and begin anew."""
        collected = (self._taken, self._released, self._announced, self._entries)
        if not (self._events or any(collected)):
            return _NOTHING
        # What is taken now is announced anyway.
        announced = [key for key in self._announced if key not in self._taken]
        turn = Turn(
            releases=tuple(Release(self._port, address_of(key)) for key in self._released),
            entries=tuple(self._entries.values()),
            takes=(
                *(Take(self._port, address_of(key)) for key in self._taken),
                *(Announce(self._port, address_of(key)) for key in announced),
            ),
            told=tuple(self._events),
        )
        for one in collected:
            one.clear()
        self._events = []
        return turn


def _change(done: dict[Key, None], undone: dict[Key, None], key: Key) -> None:
    """Record a change; one that only undoes another of the same turn leaves nothing."""
    if key in undone:
        del undone[key]
    else:
        done[key] = None


def key_of(address: IPAddress) -> Key:
    """Return an address as claims have it."""
    return address.packed


@lru_cache(maxsize=65536)
def address_of(key: Key) -> IPAddress:
    """Return the address that a key stands for."""
    return ipaddress.IPv4Address(key) if len(key) == 4 else ipaddress.IPv6Address(key)
