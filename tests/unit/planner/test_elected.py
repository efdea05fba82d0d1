"""What the layer2 process says becomes this node's verdict on layer 2 (DESIGN 8.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.model.cluster import Node
from orchestrator.model.layer2_report import Layer2Report, MemberReport, OwnerReport, SegmentReport
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan, Reason
from orchestrator.model.policy import L2Advertisement, Policy
from orchestrator.model.session_state import RouteStatus
from orchestrator.planner import plan
from orchestrator.planner.elected import owned
from orchestrator.planner.explain import explain
from orchestrator.planner.layer2 import ranked
from orchestrator.planner.step import Step
from tests.unit.planner.world import POOL, cluster, ip, service

VIP = ip("203.0.113.10")
LAYER2 = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))
NODES = (Node("n1"), Node("n2"))
FIRST, SECOND = ranked(("n1", "n2"), str(VIP))


def planned(node: str) -> Plan:
    """Plan for one of two nodes that may both answer."""
    return plan(cluster(service("web", str(VIP)), nodes=NODES), LAYER2, Local(node=node))


def report(*owners: OwnerReport, **segments: Any) -> Layer2Report:
    """Say who owns the VIP; the segment of each owner counts unless `segments` has it otherwise."""
    known = {one.interface: SegmentReport(one.interface, "member") for one in owners}
    return Layer2Report(tuple({**known, **segments}.values()), {VIP: owners})


def owner(name: str | None, interface: str = "eth0", **fields: Any) -> OwnerReport:
    """Say that `name` owns the VIP on `interface`."""
    return OwnerReport(interface, name, 1.0, wanted=True, **fields)


def last(node: str, layer2: Layer2Report | None, **fields: Any) -> Step:
    """Return the link that decides on `node`."""
    live = Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, layer2=layer2, **fields)
    explanation = explain(planned(node), str(VIP), (node,), {node: live})
    assert explanation is not None
    chain = explanation.nodes[0]
    assert all(step.ok for step in chain.steps[:-1])
    assert chain.steps[-1].step == "elected"
    return chain.steps[-1]


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_who_claims_announces(node: str) -> None:
    """Whoever is first in the plan: the node that claims is the one that announces."""
    assert last(node, report(owner(node))).reason is Reason.ANNOUNCED
    step = last(node, report(owner("other")))
    assert (step.reason, step.message) == (Reason.NOT_OWNER, "answered by other on eth0")


def test_nobody_claims_yet() -> None:
    """Before anyone claims the address, this node says so."""
    step = last(FIRST, report(owner(None)))
    assert (step.reason, step.message) == (Reason.NOT_OWNER, "answered by nobody on eth0")


def test_one_segment_is_enough() -> None:
    """A node that answers on one of two segments announces the address."""
    step = last("n1", report(owner("n2", "eth0"), owner("n1", "eth1")))
    assert (step.ok, step.message) == (True, "answered by n1 on eth1")


def test_segments_that_do_not_count() -> None:
    """What is claimed on a segment that does not count is neither a yes nor owned."""
    aside = SegmentReport("eth1", "member", counted=False)
    found = report(owner("n2", "eth0"), owner("n1", "eth1"), eth1=aside)
    assert last("n1", found).reason is Reason.NOT_OWNER
    assert (owned(found, "n1"), owned(found, "n2")) == (0, 1)


def test_no_interface() -> None:
    """A node without an interface for the address says that."""
    step = last("n1", Layer2Report())
    assert step.reason is Reason.NOT_OWNER
    assert "no interface" in step.message


def test_conflicts() -> None:
    """A stranger with our address, and a member whose kernel answers, have reasons of their own."""
    step = last("n1", report(owner("n1", conflict="02:00:00:00:00:09")))
    assert step.reason is Reason.ADDRESS_CONFLICT
    assert "02:00:00:00:00:09" in step.message
    step = last("n1", report(owner("n1", kernel_answers="n2")))
    assert step.reason is Reason.KERNEL_ANSWERS
    assert "strictARP" in step.message


def test_isolated() -> None:
    """A node that lost all members and its gateway says isolated of what nobody claims."""
    alone = SegmentReport("eth0", "isolated")
    assert last("n1", report(owner(None), eth0=alone)).reason is Reason.ISOLATED
    assert last("n1", report(owner("n1"), eth0=alone)).ok


def test_the_process_is_away() -> None:
    """Without the layer2 process nothing is known to be answered."""
    assert last("n1", None).reason is Reason.NOT_SENT


def test_an_address_is_bound_first() -> None:
    """An address that is not on its interface yet is held back, with the reason."""
    step = last("n1", report(owner(None)), unbound={VIP: "no permission"})
    assert step.reason is Reason.NOT_SENT
    assert "no permission" in step.message


def test_who_may_not_answer_needs_no_report() -> None:
    """The plan's own refusal stands, whatever the process says."""
    excluded = replace(NODES[0], network_unavailable=True)
    made = plan(
        cluster(service("web", str(VIP)), nodes=(excluded, NODES[1])), LAYER2, Local(node="n1")
    )
    live = Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, layer2=report(owner("n1")))
    explanation = explain(made, str(VIP), ("n1",), {"n1": live})
    assert explanation is not None
    assert explanation.nodes[0].steps[-1].reason is Reason.NODE_NETWORK_UNAVAILABLE


def test_other_members_are_shown_too() -> None:
    """`explain` on any node names the owner it hears, who waits, and who is dead."""
    seen = (
        MemberReport("n2", "member", 5.0),
        MemberReport("n3", "member", 5.0),
        MemberReport("n4", "member", 1.0, alive=False),
    )
    found = report(owner("n2"), eth0=SegmentReport("eth0", "member", members=seen))
    live = Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, layer2=found)
    explanation = explain(planned("n1"), str(VIP), ("n1",), {"n1": live})
    assert explanation is not None
    said = {chain.node: chain.steps[-1].reason for chain in explanation.nodes}
    assert said == {
        "n1": Reason.NOT_OWNER,
        "n2": Reason.ANNOUNCED,
        "n3": Reason.NOT_OWNER,
        "n4": Reason.MEMBER_DOWN,
    }
    assert "is announced by n2 on layer 2, not by n4" in explanation.answer
