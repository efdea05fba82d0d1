"""ConfigurationState tells of errors by component, and is written when they change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.configuration_state import speaker_name, write
from orchestrator.model.problem import Problem, Severity
from tests.unit.kube.server import applied

OURS = "metallb-system"
THEN, NOW, LATER = (f"2026-07-01T10:00:0{second}Z" for second in range(3))


def problem(severity: Severity, message: str = "no such pool") -> Problem:
    """Something about an advertisement."""
    return Problem(severity, "code", f"BGPAdvertisement {OURS}/a", message)


ERROR = problem(Severity.ERROR)
SETS = st.none() | st.lists(
    st.builds(problem, st.sampled_from(Severity), st.sampled_from(["x", "y"])), max_size=3
)


def state(problems: list[Problem] | None, observed: Any = None, at: str = NOW) -> dict[str, Any]:
    """The object of node n's speaker, as it is after the writes."""
    return applied(observed, write(OURS, "speaker-n", problems, observed, at=at))


def test_a_valid_configuration() -> None:
    """It is made with MetalLB's labels, and then told of as MetalLB does."""
    made = state([problem(Severity.WARNING)])
    assert made["metadata"]["name"] == speaker_name("n")
    assert made["metadata"]["labels"] == {
        "metallb.io/component-type": "speaker",
        "metallb.io/node-name": "n",
    }
    condition = {
        "type": "configReconcilerValid",
        "status": "True",
        "reason": "Reconciled",
        "message": "",
        "lastTransitionTime": NOW,
    }
    assert made["status"] == {"result": "Valid", "conditions": [condition]}


@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WAITING])
def test_an_invalid_configuration(severity: Severity) -> None:
    """What is wrong, or waits for another object, is in the summary and in the condition."""
    status = state([problem(severity)])["status"]
    text = str(problem(severity))
    assert (status["result"], status["errorSummary"]) == ("Invalid", text)
    (condition,) = status["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "ConfigurationError")
    assert condition["message"] == text


def test_the_controller_has_a_condition_of_its_own() -> None:
    """The controller's object names no node."""
    made = applied(None, write(OURS, "controller", [], None, at=NOW))
    assert made["metadata"]["labels"] == {"metallb.io/component-type": "controller"}
    assert made["status"]["conditions"][0]["type"] == "poolReconcilerValid"


def test_what_nobody_knows_yet() -> None:
    """Before all is read the result is unknown, and what was said before is not repeated."""
    assert state(None, state([ERROR]))["status"] == {"result": "Unknown"}


def test_time_moves_with_the_status_only() -> None:
    """Another error is the same condition as before; a mended one is another."""
    first = state([ERROR], at=THEN)
    second = state([ERROR, problem(Severity.ERROR, "worse")], first, at=NOW)
    assert second["status"] != first["status"]
    assert second["status"]["conditions"][0]["lastTransitionTime"] == THEN
    third = state([], second, at=LATER)
    assert third["status"]["conditions"][0]["lastTransitionTime"] == LATER
    assert "errorSummary" not in third["status"]


@given(SETS, SETS)
def test_asked_again_there_is_nothing_to_write(before: Any, after: Any) -> None:
    """The same problems in any order, at any later time, are no change."""
    there = state(after, state(before, at=THEN), at=NOW)
    again = None if after is None else [*reversed(after), *after]
    assert write(OURS, "speaker-n", again, there, at=LATER) == []


def test_long_summaries_are_cut() -> None:
    """The definition allows so many characters, whatever is wrong."""
    many = [problem(Severity.ERROR, f"{number} is wrong") for number in range(2000)]
    status = state(many)["status"]
    assert len(status["errorSummary"]) == len(status["conditions"][0]["message"]) == 32768


def test_a_name_that_is_too_long_for_a_label() -> None:
    """The object is there all the same, without the label that the server would refuse."""
    made = applied(None, write(OURS, speaker_name("n" * 100), [], None, at=NOW))
    assert made["metadata"]["labels"] == {"metallb.io/component-type": "speaker"}
