"""The referee: looks at every command a speaker writes, and at the end at what routers hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fakes.exabgp import Attributes, FakeExaBGP, attributes_of
from tests.simulation.intent import Table
from tests.simulation.story import FoulError

WITHDRAW_LIMIT_S = 0.7
"""P2: from the decision until the withdraw is written."""
SETTLE_LIMIT_S = 1.5
"""P1: from the decision until every router holds what is wanted."""
UNANSWERED_LIMIT = 45
"""Commands without an answer: the window of 40, and a line that overshoots it."""
LINE = re.compile(
    r"neighbor (\S+) local-as \d+ peer-as \d+ (announce|withdraw) (route|attributes) (.*)"
)


class UnansweredError(FoulError):
    """More commands are on their way than the window allows."""


class UnwantedAnnounceError(FoulError):
    """A route was announced that is not wanted (DESIGN 12, P2)."""


class UnwantedWithdrawError(FoulError):
    """A route was withdrawn that is wanted: it would flap."""


class NoOpError(FoulError):
    """A command changed nothing (DESIGN 5, rule 3)."""


class RibError(FoulError):
    """A router does not hold what is wanted (P1)."""


class LateError(FoulError):
    """Without any disturbance, something took longer than promised (P1, P2)."""


class OverlapError(FoulError):
    """A prefix had two unflushed changes to one neighbor (DESIGN 5, rule 2)."""


class RestlessError(FoulError):
    """It does not come to rest."""


def changes_of(line: str) -> Iterator[tuple[str, str, Attributes | None]]:
    """Peer, prefix and attributes (None for a withdraw) of each change that a command makes."""
    found = LINE.fullmatch(line)
    if found is None:
        return
    peer, verb, form, rest = found.groups()
    head, _, tail = rest.partition(" ") if form == "route" else rest.rpartition("nlri ")
    prefixes, text = ([head], tail) if form == "route" else (tail.split(), head)
    attributes = attributes_of(text.split()) if verb == "announce" else None
    yield from ((peer, prefix, attributes) for prefix in prefixes)


class Referee:
    """Knows what is wanted now, and sees what nobody else can: the routers."""

    def __init__(self, exabgp: FakeExaBGP) -> None:
        self.wanted: Table = {}
        self.lossy = False
        """Set once an update event got lost: then repairs of what was fine are no foul."""
        self._exabgp = exabgp
        self._withdraws_by: dict[tuple[str, str], float] = {}
        self._settled_by: float | None = None
        self._unsure: set[str] = set()
        self._very_unsure: set[str] = set()
        """Peers that were slow while two speakers in a row died: their last word cannot be told."""

    def decided(self, wanted: Table, now: float) -> None:
        """Take what is wanted from now on."""
        # a peer that goes may keep what others keep, until its session ends
        anywhere = {prefix for table in wanted.values() for prefix in table}
        for address, table in self.wanted.items():
            far = self._exabgp.peers.get(address)
            held = set(far.wire) if far is not None else set()
            for prefix in (table.keys() & held) - set(wanted.get(address, anywhere)):
                self._withdraws_by.setdefault((address, prefix), now + WITHDRAW_LIMIT_S)
            for prefix in wanted.get(address, {}):
                self._withdraws_by.pop((address, prefix), None)
        if wanted != self.wanted:
            self._settled_by = now + SETTLE_LIMIT_S
        self.wanted = wanted

    def at(self, now: float, *, disturbed: bool) -> None:
        """Judge whether what is promised for a time of peace is late."""
        tables = {address: far.wire for address, far in self._exabgp.peers.items()}
        if disturbed or tables == self.wanted:
            self._settled_by = None
            self._withdraws_by.clear()
        late = [key for key, deadline in self._withdraws_by.items() if now > deadline]
        if late:
            raise LateError(f"withdraws not written in {WITHDRAW_LIMIT_S} s: {late}")
        if self._settled_by is not None and now > self._settled_by:
            raise LateError(f"not settled in {SETTLE_LIMIT_S} s")

    def saw(self, line: str, unanswered: int) -> None:
        """Judge a command that a speaker writes."""
        if unanswered > UNANSWERED_LIMIT:
            raise UnansweredError(f"{unanswered} commands without an answer")
        for peer, prefix, attributes in changes_of(line):
            if attributes is None:
                self._withdraws_by.pop((peer, prefix), None)
            if peer not in self.wanted:
                self._leaving(line, prefix, attributes)
                continue
            meant = self.wanted[peer].get(prefix)
            if attributes is not None and attributes != meant:
                raise UnwantedAnnounceError(
                    f"announced what is not wanted: {line}; wanted: {meant}"
                )
            if attributes is None and meant is not None and not self._needs_repair(peer, prefix):
                raise UnwantedWithdrawError(f"withdrew what is wanted: {line}")

    def _leaving(self, line: str, prefix: str, attributes: Attributes | None) -> None:
        """Judge a change to a peer that goes: what is wanted nowhere must not be announced to it."""
        wanted = any(prefix in table for table in self.wanted.values())
        if attributes is not None and not wanted:
            raise UnwantedAnnounceError(f"announced what is wanted nowhere: {line}")

    def _needs_repair(self, address: str, prefix: str) -> bool:
        """Tell whether a router lacks what is wanted, or will, so that a withdraw does no harm."""
        if self.lossy or address in self._very_unsure:
            return True
        far = self._exabgp.peers[address]
        coming = [changes[prefix] for changes in (*far.batch, far.latest) if prefix in changes]
        if coming:
            return None in coming  # it is about to go in any case
        return far.wire.get(prefix) != self.wanted[address][prefix]

    def took_over(self) -> None:
        """Note which peers have changes under way that the speaker who connects now cannot know."""
        behind = {p.address for p in self._exabgp.peers.values() if p.latest or p.batch}
        self._very_unsure |= self._unsure & behind
        self._unsure |= behind

    def stalled(self, address: str) -> None:
        """Note a peer that may stall so long that its withdraws are sent again, which is no harm."""
        self._unsure.add(address)

    def reached(self, line: str) -> None:
        """Judge, in the moment ExaBGP takes a command, whether it changes anything (rule 3)."""
        for peer, prefix, attributes in changes_of(line):
            far = self._exabgp.peers.get(peer)
            repeated = far is not None and attributes is not None
            if repeated and far is not None and far.cache.get(prefix) == attributes:
                raise NoOpError(f"announced what ExaBGP has already: {line}")

    def settled(self) -> None:
        """Judge what routers hold when nothing is under way any more."""
        exabgp = self._exabgp
        if set(exabgp.peers) != set(self.wanted):
            raise RibError(f"sessions {sorted(exabgp.peers)}, wanted {sorted(self.wanted)}")
        for address, table in self.wanted.items():
            far = exabgp.peers[address]
            if not far.up:
                raise RibError(f"the session to {address} is not up")
            if far.wire != table:
                raise RibError(difference(address, far.wire, table))
            if far.overlaps and not self.lossy and address not in self._unsure:
                raise OverlapError(f"two unflushed changes of one prefix to {address}")


def difference(address: str, held: dict[str, Attributes], meant: dict[str, Attributes]) -> str:
    """Name ghosts, gaps and wrong attributes."""
    ghosts = sorted(held.keys() - meant.keys())
    gaps = sorted(meant.keys() - held.keys())
    wrong = sorted(p for p in held.keys() & meant.keys() if held[p] != meant[p])
    return f"router {address}: ghosts {ghosts}, gaps {gaps}, wrong {wrong}"
