"""Which sessions are up, since when, and how the last one ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.bgp.actions import Note
from orchestrator.bgp.endings import words
from orchestrator.bgp.events import NeighborState, StateEvent
from orchestrator.bgp.render import Rendering
from orchestrator.model.address import Family, IPAddress
from orchestrator.model.problem import Severity
from orchestrator.model.session_state import SessionState, SessionStatus


@dataclass(frozen=True, slots=True)
class _Entry:
    up: bool
    since: float
    local: IPAddress | None = None
    families: tuple[Family, ...] | None = None
    error: str | None = None


class SessionBook:
    """Keeps the last known state of each session, by the peer's address."""

    def __init__(self) -> None:
        self._entries: dict[IPAddress, _Entry] = {}
        self._declined: set[IPAddress] = set()
        self._lost_at = 0.0
        self._refused_since = 0.0

    def expect(self, addresses: Iterable[IPAddress], now: float) -> None:
        """Enter sessions that are wanted from now on; forget those that are not."""
        known = self._entries
        self._entries = {a: known.get(a, _Entry(up=False, since=now)) for a in addresses}
        self._declined &= self._entries.keys()
        self._refused_since = now

    def lost(self, now: float) -> None:
        """Take note that nothing is known from now on."""
        self._lost_at = now

    def take(self, event: StateEvent, now: float) -> Note | None:
        """Enter an event; the note is for the log, None when nothing changed."""
        up = event.state == "up"
        old = self._entries.get(event.peer)
        same = old is not None and old.up == up
        since = old.since if old is not None and same else now
        error = words(event.reason) or None if not up else (old.error if old else None)
        local = event.local or (old.local if old else None)
        families = old.families if old is not None and same else None
        self._entries[event.peer] = _Entry(up, since, local, families, error)
        if same:
            return None
        reason = {} if up else {"reason": words(event.reason)}
        level = "info" if up else "warning"
        return Note(level, f"session {event.state}", {"peer": str(event.peer), **reason})

    def take_all(self, states: Sequence[NeighborState], now: float) -> list[Note]:
        """Enter the answer to `show neighbor json`; what it does not name is not up."""
        notes = []
        listed = {state.peer: state for state in states}
        for peer in self._entries.keys() | listed.keys():
            state = listed.get(peer)
            up = state is not None and state.up
            local = state.local if state is not None else None
            note = self.take(StateEvent(peer, "up" if up else "down", local), now)
            notes += [note] if note is not None else []
            if state is not None and up:
                entry = self._entries[peer]
                self._entries[peer] = replace(entry, families=state.families)
        return notes

    def negotiated(self, address: IPAddress, *, extended_next_hop: bool) -> bool:
        """Enter whether a peer takes IPv6 next hops (RFC 8950); True when that is news."""
        before = self.declines(address)
        (self._declined.discard if extended_next_hop else self._declined.add)(address)
        return before is not self.declines(address)

    def declines(self, address: IPAddress) -> bool:
        """Tell whether a peer took no IPv6 next hops for IPv4 routes, when last heard of."""
        return address in self._declined

    def is_up(self, address: IPAddress) -> bool:
        """Tell whether the session was up when last heard of."""
        entry = self._entries.get(address)
        return entry is not None and entry.up

    def local(self, address: IPAddress) -> IPAddress | None:
        """Own end of the session, if it is known."""
        entry = self._entries.get(address)
        return entry.local if entry is not None else None

    def families(self, address: IPAddress) -> tuple[Family, ...] | None:
        """Families that both ends agreed to carry; None while that is not known."""
        entry = self._entries.get(address)
        return entry.families if entry is not None else None

    def state(
        self,
        peer: str,
        address: IPAddress,
        counts: tuple[int, int, int],
        *,
        connected: bool,
    ) -> SessionState:
        """Describe one session; `counts` are routes desired, sent, flushed."""
        entry = self._entries.get(address, _Entry(up=False, since=self._refused_since))
        if not connected:
            since = max(entry.since, self._lost_at)
            return SessionState(peer, SessionStatus.UNKNOWN, since, entry.error, *counts)
        status = SessionStatus.UP if entry.up else SessionStatus.DOWN
        return SessionState(peer, status, entry.since, entry.error, *counts)

    def refused(self, rendering: Rendering | None) -> dict[str, SessionState]:
        """Describe the sessions that cannot be had, by peer name."""
        errors = (
            (p for p in rendering.problems if p.severity is Severity.ERROR) if rendering else ()
        )
        down = SessionStatus.DOWN
        return {
            problem.object.removeprefix("BGPPeer "): SessionState(
                problem.object.removeprefix("BGPPeer "), down, self._refused_since, problem.message
            )
            for problem in errors
        }
