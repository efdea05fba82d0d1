"""What every simulation has in common: things happen, drawn from a seed; a foul is told in few words.

`play` plays the story of a seed and raises a `FoulError` when it ends foul.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

BATCH = 50
"""Seeds played by one test."""


class FoulError(AssertionError):
    """Something that must never happen has."""


@dataclass(frozen=True)
class Happening:
    """`kind` happens, `after_ms` after the one before; `number` says to what, or for how long."""

    after_ms: int
    kind: str
    number: int

    def __str__(self) -> str:
        return f"Happening({self.after_ms}, {self.kind!r}, {self.number}),"


Story: TypeAlias = Sequence[Happening]
Play: TypeAlias = Callable[[int, Story], object]


def seeds(gate: int) -> range:
    """Seeds to play: `gate` of them, or what ORCHESTRATOR_SEEDS says, a number or FIRST:END."""
    first, _, end = os.environ.get("ORCHESTRATOR_SEEDS", str(gate)).rpartition(":")
    return range(int(first or 0), int(end))


def batches(gate: int) -> range:
    """First seed of each batch."""
    return range(seeds(gate).start, seeds(gate).stop, BATCH)


def batch(first: int, gate: int) -> range:
    """Seeds of the batch that begins with `first`."""
    return range(first, min(first + BATCH, seeds(gate).stop))


def fouls(play: Play, seed: int, story: Story) -> type[FoulError] | None:
    """Play a story and return the kind of foul that ended it, None for a fair one."""
    try:
        play(seed, story)
    except FoulError as foul:
        return type(foul)
    return None


def shrink(play: Play, seed: int, story: Story) -> tuple[Happening, ...]:
    """Leave out of a foul story whatever it is foul without."""
    kept, foul = tuple(story), fouls(play, seed, story)
    for size in (8, 4, 2, 1, 1):
        at = 0
        while at < len(kept):
            shorter = kept[:at] + kept[at + size :]
            if fouls(play, seed, shorter) == foul:
                kept = shorter
            else:
                at += size
    return kept


def report(play: Play, seed: int, story: Story, foul: FoulError) -> str:
    """Say how to see a foul again, with as few happenings as it needs, and how it ended."""
    few = "\n  ".join(map(str, shrink(play, seed, story)))
    notes = "".join(f"{note}\n" for note in getattr(foul, "__notes__", ()))
    again = f"ORCHESTRATOR_SEEDS={seed}:{seed + 1}"
    return f"seed {seed}: {type(foul).__name__}: {foul}\n  {few}\n{notes}again: {again}"
