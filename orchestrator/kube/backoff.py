"""How long to wait before a request is repeated (DESIGN 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

FIRST_S = 0.5
LONGEST_S = 30.0

Spread: TypeAlias = Callable[[float, float], float]
"""Gives a number between two others, by chance: many clients must not ask at the same time."""


class Backoff:
    """Waits that double from 0.5 s to 30 s, each of them by chance between half and whole."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._failures = 0

    def wait_s(self) -> float:
        """Return how long to wait now, longer each time."""
        most = min(LONGEST_S, FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        return self._spread(most / 2, most)

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._failures = 0
