"""What is wrong on a segment is a problem with a code, a place and what to do (DESIGN 8.1)."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.layer2_report import Layer2Report, OwnerReport, SegmentReport
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Transport
from orchestrator.planner.segment_problems import MOST_ADDRESSES, segment_problems

VIP = ipaddress.ip_address("203.0.113.10")


def problems(report: Layer2Report, transport: Transport = Transport.MULTICAST) -> list[Problem]:
    """Return the problems of node n1."""
    return list(segment_problems(report, "n1", transport))


def in_state(state: str) -> Layer2Report:
    """Return a report of one segment in a state."""
    return Layer2Report((SegmentReport("eth0", state),))


@pytest.mark.parametrize("state", ["listening", "member", "leaving", "merged", "none"])
def test_ordinary_states_are_none(state: str) -> None:
    """What comes and goes in the ordinary course of things is no problem."""
    assert problems(in_state(state)) == []


def test_two_hosts_of_one_name() -> None:
    """The later of two hosts with one name is silent, and says what to do."""
    (problem,) = problems(in_state("silent"))
    assert (problem.severity, problem.code) == (Severity.ERROR, "sameName")
    assert "n1" in problem.message
    assert "--node" in (problem.hint or "")


def test_isolated_and_without_peers() -> None:
    """A node that lost all, and an interface that unicast cannot use, are named."""
    assert [p.code for p in problems(in_state("isolated"))] == ["isolated"]
    (problem,) = problems(in_state("none"), Transport.UNICAST)
    assert (problem.code, problem.object) == ("noSegment", "interface eth0")


def test_rivals_for_addresses() -> None:
    """A stranger, and a member's kernel, are named with the address."""
    stranger = OwnerReport("eth0", "n1", 1.0, wanted=True, conflict="02:00:00:00:00:09")
    kernel = OwnerReport("eth0", "n1", 1.0, wanted=True, kernel_answers="n2")
    (one,) = problems(Layer2Report(owners={VIP: (stranger,)}))
    assert (one.code, one.object) == ("addressConflict", f"address {VIP}")
    assert "02:00:00:00:00:09" in one.message
    (one,) = problems(Layer2Report(owners={VIP: (kernel,)}))
    assert one.code == "kernelAnswers"
    assert "n2" in one.message


def test_many_rivals_are_summed_up() -> None:
    """A stranger with a whole range does not flood the list."""
    stranger = OwnerReport("eth0", "n1", 1.0, wanted=True, conflict="02:00:00:00:00:09")
    found = problems(Layer2Report(owners={VIP + n: (stranger,) for n in range(100)}))
    assert len(found) == MOST_ADDRESSES + 1
    assert "80 more" in found[-1].message
