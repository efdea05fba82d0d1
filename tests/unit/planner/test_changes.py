"""What counts as a change of state, and what does not."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.local import DrainPhase, Local
from orchestrator.model.session_state import SessionState, SessionStatus
from orchestrator.model.virtual_ip import Health
from orchestrator.planner import plan
from orchestrator.planner.changes import Moment, changes
from tests.unit.planner.world import cluster, policy, service

WEB = service("web", "203.0.113.10")
QUIET = Moment("n1", plan=plan(cluster(WEB), policy(), Local(node="n1")), backend_reachable=True)


def kinds(before: Moment, after: Moment) -> list[tuple[str, str | None, str | None]]:
    """Kind, old and new of every change."""
    return [(change.kind, change.old, change.new) for change in changes(before, after)]


def test_equal_moments_have_no_changes() -> None:
    """The same plan made again is no change."""
    again = replace(QUIET, plan=plan(cluster(WEB), policy(), Local(node="n1")))
    assert kinds(QUIET, QUIET) == kinds(QUIET, again) == []


def test_each_subject_is_told() -> None:
    """Configuration, backend, drain, health and sessions each give one change."""
    after = replace(
        QUIET,
        config_valid=False,
        backend_reachable=False,
        drain=DrainPhase.DEPRIORITISED,
        health={"web": Health.DOWN},
        sessions={"r1": SessionState("r1", SessionStatus.DOWN, 1.0, "refused")},
    )
    assert kinds(QUIET, after) == [
        ("config", "valid", "invalid"),
        ("backend", "reachable", "unreachable"),
        ("drain", "none", "deprioritised"),
        ("health", None, "down"),
        ("session", None, "down"),
    ]


def test_verdicts_are_told_when_their_reason_changes() -> None:
    """A new reason is a change with its words; a gone Service is serviceDeleted."""
    lost = replace(QUIET, plan=plan(cluster(WEB, endpoints={}), policy(), Local(node="n1")))
    assert kinds(QUIET, lost) == [("vip", "announced", "noEndpoints")]
    gone = replace(QUIET, plan=plan(cluster(), policy(), Local(node="n1")))
    (change,) = changes(QUIET, gone)
    assert (change.new, change.reason, change.vip) == (None, "serviceDeleted", "203.0.113.10")
