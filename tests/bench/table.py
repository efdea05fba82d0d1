"""Tables of figures, and what machine they are from."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """A titled table; every row has as many cells as `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row; numbers are rounded to what they can be trusted for."""
        self.rows.append(tuple(shown(cell) for cell in cells))

    def __str__(self) -> str:
        lines = (self.columns, tuple("---" for _ in self.columns), *self.rows)
        return "\n".join([f"## {self.title}", *(f"| {' | '.join(line)} |" for line in lines)])


def shown(cell: object) -> str:
    """Write a number with three digits, anything else as it is."""
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.0f}" if cell >= 100 else f"{cell:.3g}"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def spread(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return minimum, median, 99th percentile and maximum."""
    return min(values), quantile(values, 0.5), quantile(values, 0.99), max(values)


SPREAD = ("min", "median", "p99", "max")


def machine() -> str:
    """Say what the figures are from, and how busy it was."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{cores} cores, {system}, load {load:.1f} before the first bench"
