"""Counts results in a row: `rise` good ones bring a check up, `fall` bad ones take it down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What the results of one check say so far.

    `up` is None until the first result, which decides at once. `against` counts results in a row
    that speak against `up`.
    """

    up: bool | None = None
    against: int = 0

    def take(self, *, ok: bool, rise: int, fall: int) -> None:
        """Count one result."""
        if self.up is None:
            self.up = ok
        elif ok is self.up:
            self.against = 0
        else:
            self.against += 1
            if self.against >= (rise if ok else fall):
                self.up, self.against = ok, 0

    @property
    def unsure(self) -> bool:
        """Tell whether the next results may change the state."""
        return self.up is None or self.against > 0
