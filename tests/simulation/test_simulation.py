"""A speaker through random faults: the routers end with what is wanted, and nothing foul on the way.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.bgp.adj_rib_out import AdjRibOut
from tests.simulation.referee import NoOpError
from tests.simulation.schedule import draw, play
from tests.simulation.story import FoulError, Happening, batch, batches, fouls, report

GATE = 250


@pytest.mark.parametrize("first", batches(GATE))
def test_nothing_foul_happens_whatever_happens(first: int) -> None:
    """Whatever dies, stalls and changes, no router keeps a ghost, a gap or a wrong attribute.

    On the way: no announce of what is not wanted, no withdraw of what is, no command that changes
    nothing, no second unflushed change of a prefix, no more commands than the window, and in peace
    no withdraw and no RIB later than promised.
    """
    for seed in batch(first, GATE):
        try:
            play(seed, draw(seed))
        except FoulError as foul:
            pytest.fail(report(play, seed, draw(seed), foul))


def story(*lines: tuple[int, str, int]) -> Sequence[Happening]:
    """Make a schedule by hand."""
    return [Happening(*line) for line in lines]


MUSEUM = {
    "a peer that goes was told of a VIP withdrawn meanwhile": (
        674,
        story(
            (50, "router stalls", 13308),
            (0, "everything", 63203),
            (400, "router stalls", 23282),
            (3, "drain", 37021),
            (0, "peer", 37437),
            (1, "vip", 58028),
        ),
    ),
    "a predecessor's change overtaken on the wire stayed wrong for a minute": (
        125,
        story(
            (10, "router stalls", 26961),
            (50, "colour", 39497),
            (400, "everything", 40327),
            (3, "health", 14190),
            (50, "speaker killed", 21658),
        ),
    ),
    "a withdraw that a new session swallowed held up the next announce for 5 s": (
        292,
        story((400, "vip", 37041), (10, "exabgp killed", 15039), (3000, "everything", 3122)),
    ),
}
"""Everything that the simulation found, as small as it gets; seed and schedule by what it was."""


@pytest.mark.parametrize("name", MUSEUM)
def test_what_was_found_stays_mended(name: str) -> None:
    """No foul that was found once comes back."""
    seed, schedule = MUSEUM[name]
    play(seed, schedule)


def test_a_foul_is_seen_and_told_in_few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A speaker that takes no heed of what ExaBGP holds is caught, and its schedule shrinks."""
    monkeypatch.setattr(AdjRibOut, "shown", lambda _self, _change: None)
    seed = next(seed for seed in range(GATE) if fouls(play, seed, draw(seed)) is NoOpError)
    told = report(play, seed, draw(seed), NoOpError("x"))
    assert f"seed {seed}: NoOpError: x" in told
    assert told.count("\n  ") <= 3
