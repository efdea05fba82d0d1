"""How often the same thing may happen when others claim what is ours."""

from __future__ import annotations

from orchestrator.layer2.answers.conflict import Pace


def test_once_in_a_time() -> None:
    """The same thing may happen again after the time, another one at once."""
    pace = Pace(10.0)
    said = [pace.may("a", 0.0), pace.may("a", 9.9), pace.may("b", 9.9), pace.may("a", 10.0)]
    assert said == [True, False, True, True]


def test_it_remembers_no_more_than_a_limit() -> None:
    """While 1,024 things have happened within the time nothing new may; then it may again."""
    pace = Pace(1.0)
    assert [pace.may(number, 0.0) for number in range(1500)].count(True) == 1024
    assert not pace.may("new", 0.9)
    assert pace.may("new", 1.5)
