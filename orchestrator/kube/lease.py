"""The election of the controller's replicas: one Lease, held by renewing it (DESIGN 9).

What the watch says of the Lease goes in, writes come out; every write names the version it is
based on, so that of two that try at once one fails. A holder counts its time from when it *sent*
a renewal that was taken, everybody else from when they saw it: so the holder gives up first, even
where clocks differ. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.kube.backoff import Spread

DURATION_S = 15.0
RENEW_S = 5.0
MARGIN_S = 2.0
"""The holder stops writing so long before others may take over."""
AGAIN_S = (0.5, 1.5)
"""After a write that failed: by chance, so that not all try at once."""
SOON_S = (0.0, 0.2)
"""After the Lease has become free."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as it was last seen; `version` is the server's, empty for one that is not there."""

    holder: str = ""
    duration_s: float = DURATION_S
    renewed: str = ""
    transitions: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class WriteLease:
    """Write the Lease, based on `version` (empty: make it); `fresh`: this holder begins now."""

    holder: str
    transitions: int
    fresh: bool
    version: str


@dataclass(frozen=True, slots=True)
class Leading:
    """Whether it is this replica that writes; why, in words."""

    leads: bool
    why: str


Action = WriteLease | Leading


class Election:
    """One replica's part. `identity` is its own, new at each start."""

    def __init__(self, identity: str, spread: Spread) -> None:
        self._identity = identity
        self._spread = spread
        self._lease: Lease | None = None
        self._seen_at = 0.0
        self._sent_at: float | None = None
        self._until = float("-inf")
        self._due = float("inf")
        self._leads = False
        self._leaving = False

    @property
    def holder(self) -> str:
        """Who holds the Lease as far as is known; empty for nobody."""
        return "" if self._lease is None else self._lease.holder

    def may_write(self, now: float) -> bool:
        """Tell whether this replica may write now; to be asked before each write."""
        return self._leads and not self._leaving and now < self._until

    def observe(self, lease: Lease, now: float) -> list[Action]:
        """Take the Lease as it is on the server."""
        before, self._lease = self._lease, lease
        if before is None or (before.version, before.renewed) != (lease.version, lease.renewed):
            self._seen_at = now
        if self._leaving:
            return self._release(now)
        told: list[Action] = []
        if self._leads and lease.holder != self._identity and self._sent_at is None:
            told += self._lose(f"{lease.holder or 'nobody'} holds the lease")
        if not self._leads and lease.holder in ("", self._identity):
            self._due = min(self._due, now + self._spread(*SOON_S))
        elif not self._leads:
            self._due = self._expires + self._spread(*AGAIN_S)
        return told

    @property
    def _expires(self) -> float:
        assert self._lease is not None
        return self._seen_at + self._lease.duration_s

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        if self._lease is None:
            return None
        soonest = min(self._due, self._until if self._leads else float("inf"))
        return None if soonest == float("inf") else soonest

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due: renew, take over what is free, give up what could not be renewed."""
        if self._leaving:
            return self._release(now) if now >= self._due else []
        told: list[Action] = []
        if self._leads and now >= self._until:
            told += self._lose("the lease could not be renewed in time")
        if self._lease is None or now < self._due or self._sent_at is not None:
            return told
        lease = self._lease
        ours = lease.holder == self._identity
        if not ours and lease.holder and now < self._expires:
            self._due = self._expires
            return told
        self._sent_at, self._due = now, float("inf")
        transitions = lease.transitions if ours or not lease.version else lease.transitions + 1
        return [*told, WriteLease(self._identity, transitions, not ours, lease.version)]

    def written(self, lease: Lease, now: float) -> list[Action]:
        """Take it that a write was taken; `lease` is what the server made of it."""
        sent_at, self._sent_at = self._sent_at, None
        self._lease, self._seen_at = lease, now
        if self._leaving:
            return self._release(now)
        if sent_at is None or lease.holder != self._identity:
            return []
        self._until = sent_at + DURATION_S - MARGIN_S
        self._due = sent_at + RENEW_S
        if self._leads or now >= self._until:
            return []
        self._leads = True
        return [Leading(leads=True, why="the lease was free")]

    def refused(self, now: float) -> list[Action]:
        """Take it that a write was not taken, or that nobody knows: it is tried again soon."""
        self._sent_at = None
        self._due = now + self._spread(*AGAIN_S)
        return []

    def leave(self, now: float) -> list[Action]:
        """Give the Lease back, so that another takes over at once; call on until `left`."""
        self._leaving = True
        told = self._lose("this replica stops") if self._leads else []
        return [*told, *self._release(now)]

    @property
    def left(self) -> bool:
        """Tell whether the Lease is not, or no longer, this replica's."""
        return self._sent_at is None and self.holder != self._identity

    def _release(self, now: float) -> list[Action]:
        lease = self._lease
        if lease is None or lease.holder != self._identity or self._sent_at is not None:
            return []
        self._sent_at, self._due = now, float("inf")
        return [WriteLease("", lease.transitions, fresh=False, version=lease.version)]

    def _lose(self, why: str) -> list[Action]:
        self._leads = False
        return [Leading(leads=False, why=why)]
