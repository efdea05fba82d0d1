"""When to plan after a change: at once when idle, else after a short quiet time (DESIGN 4)."""

from __future__ import annotations

SHORTEST_S = 0.005
QUIET_S = 0.05
"""Longest quiet time, and that of who has not planned yet."""
LIMIT_S = 0.5
PLANS = 2
"""The quiet time is this many times as long as a plan takes: that takes a third of the time at most."""


class QuietTime:
    """Decides when the world, marked dirty by changes, is to be planned again. Pure."""

    def __init__(self) -> None:
        self._last_plan = float("-inf")
        self._first_mark: float | None = None
        self._last_mark = float("-inf")
        self._urgent = False
        self._quiet_s = QUIET_S

    def hurry(self, now: float) -> None:
        """Note a change at `now` that completes an earlier one, and so is due at once."""
        self.mark(now)
        self._urgent = True

    def mark(self, now: float) -> None:
        """Note a change at `now` (seconds)."""
        if self._first_mark is None:
            self._first_mark = now
        self._last_mark = now

    @property
    def since(self) -> float | None:
        """When the first change came that is not planned yet; None for none."""
        return self._first_mark

    def due(self) -> float | None:
        """Return when to plan; None while nothing changed.

        The first change after an idle time is due at once; one of a burst a quiet time after the last
        of them, and never later than 500 ms after the first.
        """
        if self._first_mark is None:
            return None
        if self._urgent or self._first_mark - self._last_plan > self._quiet_s:
            return self._first_mark
        return min(self._last_mark + self._quiet_s, self._first_mark + LIMIT_S)

    def planned(self, now: float) -> None:
        """Note that everything marked so far was planned at `now`."""
        self._last_plan = now
        self._first_mark = None
        self._urgent = False

    def took(self, plan_s: float) -> None:
        """Note how long a plan takes: where it takes little, little is won by waiting for more."""
        self._quiet_s = min(max(PLANS * plan_s, SHORTEST_S), QUIET_S)
