"""When a speaker says again that it lives, with nothing else to tell (DESIGN 9)."""

from __future__ import annotations

from orchestrator.kube.backoff import Spread

SOONEST_S, LATEST_S = 45.0, 60.0
"""By chance between these, so that the speakers of a cluster do not all tell at one time."""


class Renewal:
    """Due at first, and then so long after the last time that anything was told."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._at = float("-inf")

    def wait_s(self, now: float) -> float:
        """Return how long until it is due; 0 when it is."""
        return max(self._at - now, 0.0)

    def told(self, now: float) -> None:
        """Take it that something is told now."""
        self._at = now + self._spread(SOONEST_S, LATEST_S)
