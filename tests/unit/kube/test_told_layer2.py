"""What a node tells of layer 2 is said of it from outside in its own words and with its own reason."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from orchestrator.kube.announced_status import l2_writes
from orchestrator.kube.speaker_state import SpeakerReport, status_of
from orchestrator.kube.told import Clock, lives
from orchestrator.model.cluster import Node, ServiceKey
from orchestrator.model.layer2_report import Layer2Report, OwnerReport, SegmentReport
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan, Verdict
from orchestrator.model.policy import L2Advertisement, Policy
from orchestrator.model.session_state import RouteStatus
from orchestrator.model.settings import Transport
from orchestrator.planner import plan
from orchestrator.planner.elected import elected
from orchestrator.planner.segment_problems import segment_problems, troubles
from orchestrator.planner.step import Step
from tests.unit.kube.server import applied
from tests.unit.planner.world import POOL, cluster, service

VIP, OTHER = ip_address("203.0.113.10"), ip_address("203.0.113.11")
MAC = "02:00:00:00:00:09"
WORLD = cluster(
    service("web", str(VIP)), service("api", str(OTHER)), nodes=(Node("n1"), Node("n2"))
)
CLOCK = Clock(lambda _: 0.0, 0.0)


def planned(*interfaces: str) -> Plan:
    """The plan, with addresses that are answered on these interfaces; on all for none."""
    policy = Policy(
        (POOL,), l2_advertisements=(L2Advertisement("all", interfaces=frozenset(interfaces)),)
    )
    return plan(WORLD, policy, Local())


def verdict(made: Plan, node: str) -> Verdict:
    """What the plan says of the VIP."""
    return next(one for one in made.verdicts if (one.address, one.node) == (VIP, node))


def told(made: Plan, report: Layer2Report, node: str = "n1") -> Live:
    """What is read back of what a node tells, with the objects of who answers."""
    state = SpeakerReport(node, "1", troubles=tuple(troubles(report, node)))
    states = [{"metadata": {"name": node}, "status": status_of(state)}]
    statuses = []
    for address, name in ((VIP, "web"), (OTHER, "api")):
        for one in report.owners.get(address, ()):
            if one.owner is not None:
                wanted = {ServiceKey("default", name): {one.interface}}
                statuses.append(applied(None, l2_writes(one.owner, "x", wanted, [])))
    return lives(made, (node,), states, statuses, CLOCK)[node]


def step(made: Plan, live: Live) -> Step:
    """The link that decides on n1."""
    return elected(verdict(made, "n1"), live)


def known(report: Layer2Report) -> Live:
    """What the node itself knows."""
    return Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, layer2=report)


def owner(name: str | None, interface: str = "eth0", **fields: Any) -> OwnerReport:
    """Say who answers on an interface."""
    return OwnerReport(interface, name, 0.0, wanted=name == "n1", **fields)


def report(*owners: OwnerReport, **states: str) -> Layer2Report:
    """What the layer2 process of n1 says; a segment is a member where `states` says nothing."""
    names = {one.interface: "member" for one in owners} | states
    return Layer2Report(tuple(SegmentReport(*one) for one in names.items()), {VIP: owners})


REPORTS = {
    "answers": report(owner("n1")),
    "another answers": report(owner("n2")),
    "a stranger": report(owner("n1", conflict=MAC)),
    "a kernel": report(owner("n1", kernel_answers="n2")),
    "a kernel on the other interface": report(
        owner("n1"), owner("n1", "eth1", kernel_answers="n2")
    ),
    "isolated": report(owner(None), eth0="isolated"),
    "isolated on one": report(owner(None), owner("n1", "eth1"), eth0="isolated"),
    "isolated, and goes on": report(owner("n1"), eth0="isolated"),
    "same name": report(owner("n2"), eth0="silent"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_same_words_as_the_node_itself(name: str) -> None:
    """Reason and message of the link, and the problems, are those that the node gives."""
    made, there = planned(), REPORTS[name]
    live = told(made, there)
    assert step(made, live) == step(made, known(there))
    assert live.layer2 is not None
    problems = list(segment_problems(there, "n1", Transport.MULTICAST))
    assert list(segment_problems(live.layer2, "n1", Transport.MULTICAST)) == problems


def test_isolation_matters_where_the_address_may_be_answered() -> None:
    """An interface that an advertisement leaves out says nothing of its addresses."""
    made = planned("eth1")
    there = report(owner("n2", "eth1"), eth0="isolated")
    assert step(made, told(made, there)) == step(made, known(there))
    assert step(made, told(made, there)).message == "answered by n2 on eth1"


def test_a_rival_before_it_is_told_who_answers() -> None:
    """Who tells of a rival answers, also while there is no object that says so."""
    made = planned()
    state = SpeakerReport("n1", "1", troubles=tuple(troubles(REPORTS["a kernel"], "n1")))
    states = [{"metadata": {"name": "n1"}, "status": status_of(state)}]
    live = lives(made, ("n1",), states, (), CLOCK)["n1"]
    assert step(made, live) == step(made, known(REPORTS["a kernel"]))


def test_a_rival_of_one_address_is_none_of_another() -> None:
    """A stranger with another address changes nothing for this one."""
    made = planned()
    there = Layer2Report(
        (SegmentReport("eth0", "member"),),
        {VIP: (owner("n1"),), OTHER: (owner("n1", conflict=MAC),)},
    )
    assert step(made, told(made, there)).ok
