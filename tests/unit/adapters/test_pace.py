"""How long a change takes to be on the wire."""

from __future__ import annotations

from orchestrator.adapters.metrics import text_of
from orchestrator.adapters.pace import Flushing
from orchestrator.model.session_state import SessionState, SessionStatus


def session(*, settled: bool) -> SessionState:
    """A session that is up."""
    return SessionState("r1", SessionStatus.UP, 0.0, settled=settled)


def told(flushing: Flushing) -> tuple[float, float]:
    """Count and sum of seconds."""
    lines = text_of([flushing.seconds]).decode().splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    name = "orchestrator_change_to_flushed_seconds"
    return float(found[f"{name}_count"]), float(found[f"{name}_sum"])


def test_the_time_is_from_the_first_change_to_the_last_route() -> None:
    """What changes meanwhile belongs to the same time, and every session has to be ready."""
    flushing = Flushing()
    flushing.begin(10.0, [session(settled=False)])
    flushing.begin(11.0, [session(settled=False)])
    flushing.look([session(settled=True), session(settled=False)], 12.0)
    assert told(flushing) == (0, 0)
    flushing.look([session(settled=True), session(settled=True)], 13.0)
    assert told(flushing) == (1, 3.0)


def test_a_change_that_changes_no_route_is_not_measured() -> None:
    """A plan after which nothing waits was no change for the peers."""
    flushing = Flushing()
    flushing.begin(10.0, [session(settled=True)])
    flushing.look([session(settled=True)], 12.0)
    assert told(flushing) == (0, 0)
