"""Somebody else says that an address of ours is there: what is told, and how it is defended."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.model.address import IPAddress

DEFEND_S = 10.0
"""An address is defended once in this time: two that both defend would flood (RFC 5227 2.4)."""
TELL_S = 1.0
"""The same claimant is told of once in this time, however fast it sends."""
_MOST = 1024


@dataclass(frozen=True, slots=True)
class Claimant:
    """ARP or NA heard on `port` said that `address`, owned or wanted here, is at `mac`."""

    port: str
    address: IPAddress
    mac: MAC


@dataclass(frozen=True, slots=True)
class Answered:
    """A probed address was heard on `port` from `mac`: the link works."""

    port: str
    address: IPAddress
    mac: MAC


class Pace:
    """Lets each thing happen once in `every_s`, and keeps in mind no more than 1,024 things.

    While so many have happened within that time, nothing new may.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last: dict[Hashable, float] = {}
        self._forgotten_at = -every_s

    def may(self, thing: Hashable, now: float) -> bool:
        """Tell whether `thing` may happen now; if so it counts as having happened."""
        last = self._last.get(thing)
        if last is not None and now - last < self._every_s:
            return False
        if len(self._last) >= _MOST and not self._forget(now):
            return False
        self._last[thing] = now
        return True

    def _forget(self, now: float) -> bool:
        """Make room, and tell whether there is any; looked for once in a time, as it takes long."""
        if now - self._forgotten_at < self._every_s:
            return False
        self._forgotten_at = now
        self._last = {
            thing: last for thing, last in self._last.items() if now - last < self._every_s
        }
        return len(self._last) < _MOST
