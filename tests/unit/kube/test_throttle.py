"""How seldom a process asks while its API server is of no use."""

from __future__ import annotations

from orchestrator.kube.throttle import BETWEEN_S, REFUSALS, Throttle


def throttle() -> Throttle:
    """One by the longest of chances."""
    return Throttle(lambda _low, high: high)


def test_no_limit_while_all_is_well() -> None:
    """As long as requests are answered, any number may go out at once."""
    one = throttle()
    for _ in range(100):
        assert one.wait_s(10.0) == 0
        one.sent(10.0)
        assert not one.answered()


def test_one_after_the_other_in_an_outage() -> None:
    """After a request found nobody, each next one waits; the first answer ends that, and is told once."""
    one = throttle()
    one.failed(10.0)
    assert one.wait_s(10.0) == BETWEEN_S[1]
    one.sent(10.0 + BETWEEN_S[1])
    assert one.wait_s(11.0 + BETWEEN_S[1]) == BETWEEN_S[1] - 1
    assert one.wait_s(1000.0) == 0
    assert one.answered()
    assert one.wait_s(11.0 + BETWEEN_S[1]) == 0
    assert not one.answered()


def test_refusals_in_a_row_are_an_outage() -> None:
    """A single refusal limits nothing, and an answer in between begins the count anew."""
    one = throttle()
    for _ in range(3):
        for _ in range(REFUSALS - 1):
            one.refused(10.0)
            assert one.wait_s(10.0) == 0
        one.answered()
    for _ in range(REFUSALS):
        one.refused(10.0)
    assert one.wait_s(10.0) == BETWEEN_S[1]


def test_less_than_once_a_second() -> None:
    """On average the pauses keep to the promise even where a client sends each request twice."""
    assert sum(BETWEEN_S) / 2 > 2
