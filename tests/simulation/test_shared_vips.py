"""Nodes that share VIPs through random faults: each address that is wanted is answered once.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.shared_host import FoulError
from tests.simulation.shared_story import Happening, draw, play, shrink

BATCH = 50
"""Seeds played by one test."""
GATE = 1000


def seeds() -> range:
    """Seeds to play: a number, or FIRST:END."""
    first, _, end = os.environ.get("ORCHESTRATOR_SEEDS", str(GATE)).rpartition(":")
    return range(int(first or 0), int(end))


def report(seed: int, foul: FoulError) -> str:
    """Say how to see it again, with as few happenings as it needs, and how it ended."""
    story = "\n  ".join(str(happening) for happening in shrink(seed, draw(seed)))
    notes = "\n".join(getattr(foul, "__notes__", ()))
    again = f"ORCHESTRATOR_SEEDS={seed}:{seed + 1}"
    return f"seed {seed}: {type(foul).__name__}: {foul}\n  {story}\n{notes}\nagain: {again}"


@pytest.mark.parametrize("first", range(seeds().start, seeds().stop, BATCH))
def test_nothing_foul_happens_whatever_happens(first: int) -> None:
    """Whatever dies, sleeps, is cut and changes, each wanted address is answered by one node in time.

    On the way: addresses are taken and released in pairs, nothing goes unanswered while it is handed
    over, a node that is cut off is replaced in time, and in peace nothing moves to a worse node.
    """
    for seed in range(first, min(first + BATCH, seeds().stop)):
        try:
            play(seed, draw(seed))
        except FoulError as foul:
            pytest.fail(report(seed, foul))


MUSEUM: dict[str, tuple[int, list[Happening]]] = {}
