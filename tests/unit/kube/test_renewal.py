"""A speaker with nothing to tell says that it lives at least once a minute, and not all at one time."""

from __future__ import annotations

from orchestrator.kube.renewal import LATEST_S, SOONEST_S, Renewal
from orchestrator.kube.told import SILENT_S


def test_due_at_first_and_then_after_a_while() -> None:
    """The first time is at once; every time that something is told begins the wait anew."""
    asked = []

    def spread(least: float, most: float) -> float:
        asked.append((least, most))
        return 50.0

    renewal = Renewal(spread)
    assert renewal.wait_s(100.0) == 0.0
    renewal.told(100.0)
    assert (renewal.wait_s(100.0), renewal.wait_s(149.0)) == (50.0, 1.0)
    renewal.told(149.0)
    assert (renewal.wait_s(150.0), renewal.wait_s(200.0)) == (49.0, 0.0)
    assert asked == [(SOONEST_S, LATEST_S)] * 2


def test_one_that_is_lost_is_no_silence() -> None:
    """A speaker of which one word got lost is not yet taken for silent."""
    assert 2 * LATEST_S < SILENT_S
