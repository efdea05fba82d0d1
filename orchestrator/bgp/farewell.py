"""The last withdraw before a planned stop: every route, and proof that it went out. Sans-I/O.

With graceful restart a peer would keep our routes after a stop, so they are withdrawn first
(DESIGN 5, rule 10). `clear adj-rib out` takes them back; it is over when every withdraw was seen on
its way to the peer's socket.
"""

from __future__ import annotations

from enum import Enum

from orchestrator.bgp import command, events
from orchestrator.model.address import IPAddress, IPNetwork

ROUTES_PER_SECOND = 3500
"""Rate at which a peer's routes are withdrawn at least (DESIGN 12)."""
SHORTEST_S = 1.0


class _Step(Enum):
    NEIGHBORS = command.SHOW_NEIGHBORS
    ROUTES = command.SHOW_ADJ_RIB_OUT
    CLEAR = command.CLEAR_ADJ_RIB_OUT
    FLUSH = ""


class Farewell:
    """Asks what is announced to peers that are up, clears it, and watches it go."""

    def __init__(self) -> None:
        self._step = _Step.NEIGHBORS
        self._up: set[IPAddress] = set()
        self._left: set[tuple[IPAddress, IPNetwork]] = set()
        self._repairs = 0
        self._total = 0
        self._buffer = bytearray()

    def start(self) -> list[str]:
        """Return the first command."""
        return [self._step.value]

    @property
    def done(self) -> bool:
        """Tell whether no peer that is up has a route of ours any more."""
        return self._step is _Step.FLUSH and not self._left

    @property
    def left(self) -> int:
        """Routes that are not known to be withdrawn."""
        return len(self._left)

    @property
    def limit_s(self) -> float:
        """How long it may take in all, by the number of routes (DESIGN 12, P3)."""
        return SHORTEST_S + self._total / ROUTES_PER_SECOND

    def receive(self, data: bytes) -> list[str]:
        """Take what ExaBGP wrote; return commands to send."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        out: list[str] = []
        for line in lines:
            out += self._take(events.parse(line.decode("ascii", "replace")))
        return out

    def _take(self, event: events.Event) -> list[str]:
        match event:
            case events.Neighbors(states):
                self._up = {state.peer for state in states if state.up}
            case events.StateEvent(peer=peer, state="down"):
                self._up.discard(peer)
                self._left = {one for one in self._left if one[0] != peer}
            case events.ShownRoute(peer, change) if peer in self._up:
                self._left.add((peer, change.prefix))
            case events.UpdateSent():
                return self._watch(event)
            case events.Answer():
                return self._next(ok=event.ok)
            case _:
                pass
        return []

    def _next(self, *, ok: bool) -> list[str]:
        del ok  # an error means that there is no such peer any more: nothing to withdraw there
        if self._repairs:
            self._repairs -= 1
            return []
        if self._step is _Step.ROUTES:
            self._total = len(self._left)
        following = {
            _Step.NEIGHBORS: _Step.ROUTES,
            _Step.ROUTES: _Step.CLEAR if self._left else _Step.FLUSH,
            _Step.CLEAR: _Step.FLUSH,
            _Step.FLUSH: _Step.FLUSH,
        }
        before, self._step = self._step, following[self._step]
        return [self._step.value] if self._step.value and before is not self._step else []

    def _watch(self, update: events.UpdateSent) -> list[str]:
        if self._step in {_Step.NEIGHBORS, _Step.ROUTES} or update.peer not in self._up:
            return []
        out = []
        for change in update.changes:
            if change.attributes is None:
                self._left.discard((update.peer, change.prefix))
            elif self._step is _Step.FLUSH:
                # an announce left after its withdraw (DESIGN 5, rule 2): take it back again
                self._left.add((update.peer, change.prefix))
                self._repairs += 1
                out.append(f"neighbor {update.peer} withdraw route {change.prefix}")
        return out
