"""Which counters of a sender have been seen, so that no frame counts twice (RFC 4303 3.4.3).

Frames may overtake each other on their way: one that comes late, within the window, still counts.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 128
_MASK = (1 << WIDTH) - 1


@dataclass(slots=True)
class CounterWindow:
    """The highest counter so far, and which of those just below it were seen."""

    highest: int = -1
    _seen: int = 0

    def take(self, counter: int) -> bool:
        """Mark a counter as seen; False when it was before, or is too old to tell."""
        ahead = counter - self.highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WIDTH) | 1) & _MASK
            self.highest = counter
            return True
        bit = 1 << -ahead
        if -ahead >= WIDTH or self._seen & bit:
            return False
        self._seen |= bit
        return True
