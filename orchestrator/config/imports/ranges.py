"""Ranges of addresses that may not overlap."""

from __future__ import annotations

from bisect import bisect_right, insort

from orchestrator.model.address import AddressRange

_BEYOND = 1 << 128


class Taken:
    """The ranges that were taken so far."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, int, int]] = []

    def take(self, wanted: AddressRange) -> bool:
        """Take a range; False when it overlaps one that was taken before."""
        version, first, last = wanted.first.version, int(wanted.first), int(wanted.last)
        place = bisect_right(self._ends, (version, last, _BEYOND))
        before = self._ends[place - 1] if place else None
        if before is not None and before[0] == version and before[2] >= first:
            return False
        insort(self._ends, (version, first, last))
        return True
