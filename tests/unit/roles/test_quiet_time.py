"""When a change is planned: at once when idle, after quiet in a burst, never too late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.roles.quiet_time import LIMIT_S, QUIET_S, QuietTime


def test_first_change_when_idle_is_due_at_once() -> None:
    """After a pause the first change is planned at the moment it comes."""
    quiet = QuietTime()
    assert quiet.due() is None
    quiet.mark(10.0)
    assert quiet.due() == 10.0
    quiet.planned(10.0)
    assert quiet.due() is None


def test_burst_waits_for_quiet() -> None:
    """Changes right after a plan are planned together, 50 ms after the last of them."""
    quiet = QuietTime()
    quiet.planned(10.0)
    quiet.mark(10.01)
    quiet.mark(10.03)
    assert quiet.due() == 10.03 + QUIET_S


def test_the_quiet_time_is_as_long_as_plans_are() -> None:
    """Twice what the last plan took, at least 5 ms and at most 50 ms."""
    quiet = QuietTime()
    for took_s, expected_s in ((0.0, 0.005), (0.006, 0.012), (1.0, QUIET_S)):
        quiet.planned(10.0)
        quiet.took(took_s)
        quiet.mark(10.001)
        assert quiet.due() == 10.001 + expected_s
        quiet.planned(10.06)
        quiet.mark(10.06 + expected_s * 1.01)
        assert quiet.due() == 10.06 + expected_s * 1.01


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=50))
def test_no_change_waits_longer_than_the_limit(gaps: list[float]) -> None:
    """However changes come, each is due at most 500 ms after it was marked."""
    quiet = QuietTime()
    quiet.planned(0.0)
    now = 0.0
    first: float | None = None
    for gap in gaps:
        now += gap
        due = quiet.due()
        if due is not None and due <= now:
            quiet.planned(now)
            first = None
        quiet.mark(now)
        first = now if first is None else first
        later = quiet.due()
        assert later is not None
        assert later <= first + LIMIT_S


def test_what_completes_a_change_is_due_at_once() -> None:
    """A change that completes an earlier one does not wait for the quiet time."""
    quiet = QuietTime()
    quiet.mark(10.0)
    quiet.planned(10.0)
    quiet.mark(10.01)
    assert quiet.due() == 10.06
    quiet.hurry(10.02)
    assert quiet.due() == 10.01
    quiet.planned(10.02)
    quiet.mark(10.03)
    assert quiet.due() == 10.08
