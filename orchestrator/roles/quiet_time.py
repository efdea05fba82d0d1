"""When to plan after a change: at once when idle, else after a short quiet time (DESIGN 4)."""

from __future__ import annotations

QUIET_S = 0.05
LIMIT_S = 0.5


class QuietTime:
    """Decides when the world, marked dirty by changes, is to be planned again. Pure."""

    def __init__(self) -> None:
        self._last_plan = float("-inf")
        self._first_mark: float | None = None
        self._last_mark = float("-inf")
        self._urgent = False

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

        The first change after an idle time is due at once; one of a burst 50 ms after the last of
        them, and never later than 500 ms after the first.
        """
        if self._first_mark is None:
            return None
        if self._urgent or self._first_mark - self._last_plan > QUIET_S:
            return self._first_mark
        return min(self._last_mark + QUIET_S, self._first_mark + LIMIT_S)

    def planned(self, now: float) -> None:
        """Note that everything marked so far was planned at `now`."""
        self._last_plan = now
        self._first_mark = None
        self._urgent = False
