"""Requests of one process while its API server cannot be reached: few, and one after the other."""

from __future__ import annotations

from orchestrator.kube.backoff import Spread

BETWEEN_S = (1.0, 1.5)
"""Between two requests of an outage: less than one a second (DESIGN 9), by chance."""


class Throttle:
    """Says when a request may go out; no limit as long as the server answers."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._free_at = float("-inf")
        self.open = True
        """Whether the last request was answered, whatever the answer was."""

    def slot(self, now: float) -> float:
        """Take the next free slot; return when that is."""
        if self.open:
            return now
        slot = max(now, self._free_at)
        self._free_at = slot + self._spread(*BETWEEN_S)
        return slot

    def failed(self, now: float) -> None:
        """Take it that a request found no server."""
        if self.open:
            self.open = False
            self._free_at = now + self._spread(*BETWEEN_S)

    def answered(self) -> bool:
        """Take it that a request was answered; True when none was just before."""
        was, self.open = self.open, True
        return not was
