"""Isolation: all members were lost at once while the link is up, so it may be our own cable.

The node keeps what it claims, and claims more only after a neighbor that is no member has answered, where
there is one to ask (DESIGN 8.1).
"""

from __future__ import annotations

from orchestrator.model.address import IPAddress


class Isolation:
    """Whether one segment's members were lost, and whom to ask whether the link still works."""

    def __init__(self) -> None:
        self.active = False
        self._targets: tuple[IPAddress, ...] = ()
        self._probe_due = float("inf")

    @property
    def blocks(self) -> bool:
        """Tell whether nothing more may be claimed yet."""
        return self.active and bool(self._targets)

    @property
    def due(self) -> float:
        """When `probes` is to be called again."""
        return self._probe_due

    def begin(self, targets: tuple[IPAddress, ...], now: float) -> None:
        """Take it that all members are lost; `targets` are addresses on the link that should answer."""
        self.active, self._targets = True, targets
        self._probe_due = now if targets else float("inf")

    def end(self) -> None:
        """Take it that a member is heard again, or the link is gone."""
        self.active, self._targets = False, ()
        self._probe_due = float("inf")

    def answered(self, address: IPAddress) -> bool:
        """Take an answer; True when the node may claim from now on."""
        if address not in self._targets:
            return False
        self._targets, self._probe_due = (), float("inf")
        return True

    def probes(self, interval_s: float, now: float) -> tuple[IPAddress, ...]:
        """Return whom to ask now; they are asked again every interval until one answers."""
        if now < self._probe_due:
            return ()
        self._probe_due = now + interval_s
        return self._targets
