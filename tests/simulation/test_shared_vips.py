"""Nodes that share VIPs through random faults: each address that is wanted is answered once.

ORCHESTRATOR_SEEDS=5000 plays more of them, ORCHESTRATOR_SEEDS=1234:1235 one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.layer2.shared.liveness import Liveness
from orchestrator.layer2.shared.ownership import Ownership
from orchestrator.layer2.shared.segment import Segment
from tests.simulation.chances import Chances
from tests.simulation.shared_story import draw, play
from tests.simulation.shared_views import draw_rules
from tests.simulation.shared_world import World
from tests.simulation.story import FoulError, Happening, batch, batches, fouls, report

VIPS = tuple(ipaddress.ip_address(f"192.0.2.{number}") for number in (1, 2, 3))
PLAIN: dict[str, Any] = {
    "vips": VIPS,
    "nodes_known": False,
    "nics": dict.fromkeys(VIPS),
    "preempt_delay_s": 1.0,
}
GATE = 1000


@pytest.mark.parametrize("first", batches(GATE))
def test_nothing_foul_happens_whatever_happens(first: int) -> None:
    """Whatever dies, sleeps, is cut and changes, each wanted address is answered by one node in time.

    On the way: addresses are taken and released in pairs, nothing goes unanswered while it is handed
    over, a node that is cut off is replaced in time, and in peace nothing moves to a worse node.
    """
    for seed in batch(first, GATE):
        try:
            play(seed, draw(seed))
        except FoulError as foul:
            pytest.fail(report(play, seed, draw(seed), foul))


MUSEUM = {
    "claims overtaken by a hello were taken for a replay, and the next candidate claimed too": (
        346,
        [Happening(900, "killed", 2)],
    ),
    "after a cut healed, each took the other for deaf until the next hello": (
        1244,
        [Happening(100, "pair cut", 17555)],
    ),
    "one that slept while it was leaving went on answering": (
        1589,
        [
            Happening(1800, "change", 54621),
            Happening(900, "leaves", 26088),
            Happening(5, "paused", 20530),
            Happening(400, "restarted", 597),
        ],
    ),
}
"""Everything that the simulation found, as small as it gets; seed and story by what it was."""


@pytest.mark.parametrize("name", MUSEUM)
def test_what_was_found_stays_mended(name: str) -> None:
    """No foul that was found once comes back."""
    play(*MUSEUM[name])


@pytest.mark.parametrize("seed", range(4))
def test_a_lossy_segment_moves_next_to_nothing(seed: int) -> None:
    """Between three that lose every fifth frame for 20 s, each address moves at most once."""
    chances = Chances(seed)
    world = World(replace(draw_rules(chances), nodes=("n0", "n1", "n2"), **PLAIN), chances)
    for name, host in world.hosts.items():
        host.up = {"eth0": True}
        world.start(name)
    world.referee.begin("loss")
    world.run_for(2.0)
    world.referee.count_takes()
    world.loss_percent = 20
    world.run_for(20.0)
    world.referee.judge_failover()


def never(*_: object, **__: object) -> None:
    """Do nothing at all."""


BROKEN: tuple[tuple[type, str, Callable[..., object]], ...] = (
    (Ownership, "_strongest", never),
    (Ownership, "unbind", never),
    (Ownership, "_rank", lambda *_: 0),
    (Ownership, "_may_preempt", lambda *_: False),
    (Liveness, "take_reports", lambda *_: []),
    (Segment, "_repair", never),
    (Segment, "_bury", lambda self, _now: setattr(self._liveness, "checked", float("inf"))),
    (Segment, "step_back", lambda self, now: self._turn(now)),
)
"""One rule each that is left out."""


@pytest.mark.parametrize(
    ("where", "rule", "instead"), BROKEN, ids=[rule.strip("_") for _, rule, _ in BROKEN]
)
def test_a_rule_that_is_missing_is_seen(
    monkeypatch: pytest.MonkeyPatch, where: type, rule: str, instead: Callable[..., object]
) -> None:
    """Members that leave out one rule end foul, and the report tells how to see it again."""
    monkeypatch.setattr(where, rule, instead)
    seed = next(seed for seed in range(GATE) if fouls(play, seed, draw(seed)) is not None)
    with pytest.raises(FoulError) as found:
        play(seed, draw(seed))
    told = report(play, seed, draw(seed), found.value)
    assert told.startswith(f"seed {seed}: ")
    assert told.endswith(f"again: ORCHESTRATOR_SEEDS={seed}:{seed + 1}")
