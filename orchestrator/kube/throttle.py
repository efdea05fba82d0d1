"""Requests of one process while its API server is of no use: few, and one after the other."""

from __future__ import annotations

from orchestrator.kube.backoff import Spread

BETWEEN_S = (2.0, 3.0)
"""Between two requests of an outage: less than one a second (DESIGN 9), by chance.

A client sends a request twice whose connection was dropped.
"""
REFUSALS = 3
"""So many answers in a row that the server cannot do anything are an outage too."""


class Throttle:
    """Says when a request may go out; no limit as long as the server does what it is asked."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._free_at = float("-inf")
        self._refusals = 0
        self.open = True
        """Whether requests are answered."""

    def wait_s(self, now: float) -> float:
        """Return how long the next request has to wait."""
        return 0.0 if self.open else max(0.0, self._free_at - now)

    def sent(self, now: float) -> None:
        """Take it that a request goes out."""
        self._free_at = now + self._spread(*BETWEEN_S)

    def failed(self, now: float) -> None:
        """Take it that a request found no server."""
        if self.open:
            self.open = False
            self.sent(now)

    def refused(self, now: float) -> None:
        """Take it that the server answered that it cannot, or has too much to do."""
        self._refusals += 1
        if self._refusals >= REFUSALS:
            self.failed(now)

    def answered(self) -> bool:
        """Take it that a request was answered; True when there was an outage until now."""
        was, self.open, self._refusals = self.open, True, 0
        return not was
