"""A reflector through whatever a network and a server can do to it.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

import pytest

from tests.simulation.reflector_story import draw, play
from tests.simulation.story import FoulError, batch, batches, report

GATE = 1000


@pytest.mark.parametrize("first", batches(GATE))
def test_all_there_is_becomes_known(first: int) -> None:
    """Whatever happens, in the end exactly what is on the server is known.

    On the way: nothing vanishes that was not deleted, nothing is told twice, and the server is
    asked less than once a second.
    """
    for seed in batch(first, GATE):
        try:
            play(seed, draw(seed))
        except FoulError as foul:
            pytest.fail(report(play, seed, draw(seed), foul))
