"""The flags that speakers tell are taken where none are given; where they differ that is said."""

from __future__ import annotations

from typing import Any

from orchestrator.kube.speaker_state import SpeakerReport, status_of
from orchestrator.kube.told_flags import local_of
from orchestrator.model.local import Local

OURS = "example.org/lb"


def state(node: str, lb_class: str | None = None, *, ignores: bool = False) -> dict[str, Any]:
    """A SpeakerState with the flags of its speaker."""
    told = SpeakerReport(node, "1", lb_class=lb_class, ignore_exclude_label=ignores)
    return {"metadata": {"name": node}, "status": status_of(told)}


def test_all_agree() -> None:
    """What all speakers run with is taken, and nothing is wrong."""
    states = [state(node, OURS, ignores=True) for node in ("n1", "n2")]
    assert local_of(Local(), states) == (Local(lb_class=OURS, ignore_exclude_label=True), ())
    assert local_of(Local(), [state("n1")]) == (Local(), ())


def test_what_is_given_wins() -> None:
    """A flag of the command line is taken as it is, and the other from the speakers."""
    given = Local(lb_class="other", ignore_exclude_label=True)
    assert local_of(given, [state("n1", OURS)])[0] == given
    found, _ = local_of(Local(lb_class="other"), [state("n1", OURS, ignores=True)])
    assert found == Local(lb_class="other", ignore_exclude_label=True)


def test_speakers_that_differ() -> None:
    """The most common value is taken, and each with its nodes is a problem's words."""
    states = [state("n3"), state("n1", OURS, ignores=True), state("n2", OURS)]
    found, problems = local_of(Local(), states)
    assert found == Local(lb_class=OURS, ignore_exclude_label=False)
    assert {(one.code, one.object): one.message for one in problems} == {
        ("differentFlags", "--lb-class"): "speakers run with different values: "
        "example.org/lb on n1, n2; none on n3",
        ("differentFlags", "--ignore-exclude-lb"): "speakers run with different values: "
        "set on n1; not set on n2, n3",
    }


def test_many_nodes_are_not_all_named() -> None:
    """A few names are enough to look at."""
    states = [state(f"n{number}", OURS if number else None) for number in range(6)]
    (problem,) = local_of(Local(), states)[1]
    assert "none on n0; example.org/lb on n1, n2, n3 and 2 more" in problem.message


def test_two_values_as_frequent() -> None:
    """The same is taken whatever the order of the objects."""
    states = [state("n1", OURS), state("n2", "other")]
    assert local_of(Local(), states)[0] == local_of(Local(), states[::-1])[0]


def test_who_does_not_tell_its_flags_has_no_vote() -> None:
    """Objects of an older version, or without a status, say nothing of flags."""
    older: list[dict[str, Any]] = [
        {"metadata": {"name": "n2"}, "status": {"version": "0"}},
        {"metadata": {"name": "n3"}},
    ]
    assert local_of(Local(), [*older, state("n1", OURS)]) == (Local(lb_class=OURS), ())
    assert local_of(Local(), older) == (Local(), ())
