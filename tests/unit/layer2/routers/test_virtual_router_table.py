"""The table of states, and the diagram that the documentation has of it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from orchestrator.layer2.actions import RouterState
from orchestrator.layer2.routers.diagram import state_diagram
from orchestrator.layer2.routers.table import TABLE, RouterEvent, Step

PAGE = Path(__file__).parents[4] / "docs" / "virtual-router-states.md"


def test_the_documentation_shows_the_table_as_it_is() -> None:
    """docs/virtual-router-states.md has the diagram that `state_diagram` makes."""
    assert f"```mermaid\n{state_diagram()}```\n" in PAGE.read_text(encoding="utf-8")


def test_every_arrow_has_a_line() -> None:
    """Each reaction is drawn once, beside the head and the arrow into Init."""
    assert len(state_diagram().splitlines()) == 2 + len(TABLE)


def test_every_event_and_step_is_used() -> None:
    """Nothing is named that no state reacts to, or does."""
    assert {event for _, event in TABLE} == set(RouterEvent)
    done = chain.from_iterable(transition.steps for transition in TABLE.values())
    assert set(done) == set(Step)


def test_addresses_are_taken_on_the_way_to_master_and_given_up_on_the_way_from_it() -> None:
    """Who becomes Master takes; who was releases, or hands over; nobody else does either."""
    for (old, _), (new, steps) in TABLE.items():
        comes = new is RouterState.MASTER and old is not new
        goes = old is RouterState.MASTER and old is not new
        assert (Step.TAKE in steps) is comes
        assert bool({Step.RELEASE, Step.HAND_OVER} & set(steps)) is goes


def test_every_state_can_fail_and_stop() -> None:
    """A fault or a stop is never missed."""
    running = set(RouterState) - {RouterState.INIT}
    assert {state for state, event in TABLE if event is RouterEvent.STOPPED} == running
    failing = set(RouterState) - {RouterState.FAULT}
    assert {state for state, event in TABLE if event is RouterEvent.FAULTED} == failing
