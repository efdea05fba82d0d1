"""Nodes that are alike are judged once where it only matters whether any announces."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.cluster import EXCLUDE_LABEL, Endpoint, Node, TrafficPolicy
from orchestrator.model.local import Local
from orchestrator.model.plan import Protocol, Reason
from orchestrator.model.policy import L2Advertisement
from orchestrator.planner import plan
from tests.unit.planner.world import cluster, policy, service

ANYWHERE = Local(anywhere=True)
NODES = tuple(Node(f"n{number:02}") for number in range(50))
WEB = service("web", "203.0.113.1")


def test_one_node_speaks_for_all_that_are_alike() -> None:
    """Fifty equal nodes give one verdict, which names the others."""
    planned = plan(cluster(WEB, nodes=NODES), policy(), ANYWHERE)
    (verdict,) = planned.verdicts
    assert verdict.announced
    assert verdict.node == "n00"
    assert verdict.alike == tuple(node.name for node in NODES[1:])


def test_a_node_that_differs_is_asked_itself() -> None:
    """One that is excluded by its label has a verdict of its own."""
    other = replace(NODES[7], labels={EXCLUDE_LABEL: ""})
    nodes = (*NODES[:7], other, *NODES[8:])
    planned = plan(cluster(WEB, nodes=nodes), policy(), ANYWHERE)
    first, second = planned.verdicts
    assert (len(first.alike), second.node, second.alike) == (48, "n07", ())
    assert second.reason is Reason.NODE_LABELED_EXCLUDE_BALANCERS


def test_with_policy_local_the_nodes_with_endpoints_are_asked() -> None:
    """Each node with an endpoint is asked, and one of the others says why these do not announce."""
    local = replace(WEB, traffic_policy=TrafficPolicy.LOCAL)
    endpoints = {WEB.key: (Endpoint("n03", usable=True), Endpoint("n30", usable=True))}
    planned = plan(cluster(local, nodes=NODES, endpoints=endpoints), policy(), ANYWHERE)
    assert [(one.node, one.announced) for one in planned.verdicts] == [
        ("n00", False),
        ("n03", True),
        ("n30", True),
    ]


def test_on_layer_2_the_owner_is_asked() -> None:
    """The node that the election gives is the one that is said to answer."""
    wanted = policy(l2_advertisements=(L2Advertisement("all"),))
    planned = plan(cluster(WEB, nodes=NODES), replace(wanted, bgp_advertisements=()), ANYWHERE)
    (verdict,) = [one for one in planned.verdicts if one.protocol is Protocol.LAYER2]
    owner = planned.elections[0].owner
    assert owner is not None
    assert (verdict.node, verdict.announced) == (owner.node, True)
