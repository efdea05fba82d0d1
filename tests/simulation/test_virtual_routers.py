"""Virtual routers of one VRID through random faults: one Master in the end, and the right one.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.layer2.routers.virtual_router import VirtualRouterMachine
from tests.simulation.story import FoulError, Happening, batch, batches, fouls, report
from tests.simulation.virtual_router_story import draw, play

GATE = 300


@pytest.mark.parametrize("first", batches(GATE))
def test_nothing_foul_happens_whatever_happens(first: int) -> None:
    """Whatever dies, sleeps and is cut, the right one is Master in time, and alone.

    On the way: addresses are taken and released in pairs, no two are Master for longer than an
    interval while all hear all, and in peace no state changes.
    """
    for seed in batch(first, GATE):
        try:
            play(seed, draw(seed))
        except FoulError as foul:
            pytest.fail(report(play, seed, draw(seed), foul))


MUSEUM = {
    "gratuitous frames held back for a second were never sent, though a rival's followed": (
        149,
        [
            Happening(1500, "mended", 1478),
            Happening(120, "one way", 18741),
            Happening(400, "one way", 43637),
        ],
    ),
    "one that woke gave up without a word, and clients that believed it went on so": (
        985,
        [
            Happening(1500, "paused", 62334),
            Happening(400, "split", 7086),
            Happening(120, "paused", 56430),
            Happening(1500, "mended", 48515),
        ],
    ),
}
"""Everything that the simulation found, as small as it gets; seed and schedule by what it was."""


@pytest.mark.parametrize("name", MUSEUM)
def test_what_was_found_stays_mended(name: str) -> None:
    """No foul that was found once comes back."""
    play(*MUSEUM[name])


@pytest.mark.parametrize(
    ("broken", "instead"),
    [
        ("_is_better", lambda _self, _packet, _advert: False),
        ("_preempts", lambda _self, _now: False),
        ("_releases", lambda _self: []),
        ("step_back", lambda _self, _now: []),
    ],
)
def test_a_foul_is_seen_and_told_in_few_words(
    monkeypatch: pytest.MonkeyPatch, broken: str, instead: Callable[..., object]
) -> None:
    """A router that leaves out any of these is caught, and the schedule shrinks."""
    monkeypatch.setattr(VirtualRouterMachine, broken, instead)
    seed = next(seed for seed in range(GATE) if fouls(play, seed, draw(seed)) is not None)
    told = report(play, seed, draw(seed), FoulError("x"))
    assert f"seed {seed}: FoulError: x" in told
    assert told.count("\n  ") <= 6
