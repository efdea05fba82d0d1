"""`explain`: the first broken link of the chain is the answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.model.address import IPAddress, IPNetwork
from orchestrator.model.cluster import Cluster, Node
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan, Protocol, Reason
from orchestrator.model.policy import BGPAdvertisement, L2Advertisement, Policy
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus
from orchestrator.model.virtual_ip import Check, Health, TcpProbe, VirtualIP
from orchestrator.planner import plan
from orchestrator.planner.explain import Explanation, explain
from orchestrator.planner.step import Step
from tests.unit.planner.world import POOL, R1, cluster, ip, policy, service

NODE = Local(node="n1")
WEB = service("web", "203.0.113.10")
UP = {"r1": SessionState("r1", SessionStatus.UP, 0.0)}
DOWN = {"r1": SessionState("r1", SessionStatus.DOWN, 0.0, last_error="hold timer expired")}


def live(
    sessions: Mapping[str, SessionState] = UP,
    status: RouteStatus = RouteStatus.FLUSHED,
    unbound: Mapping[IPAddress, str] | None = None,
) -> Live:
    """State of a node in which every route got as far as `status`."""

    def route_status(_peer: str, _prefix: IPNetwork) -> RouteStatus:
        return status

    return Live(sessions, route_status, unbound or {})


def planned(world: Cluster | None = None, policy_: Policy | None = None) -> Plan:
    """Plan for the node n1."""
    return plan(world or cluster(WEB), policy_ or policy(), NODE)


def ask(plan_: Plan, target: str = "203.0.113.10", state: Live | None = None) -> Explanation:
    """Explain `target`, which must exist."""
    explanation = explain(plan_, target, ("n1",), {} if state is None else {"n1": state})
    assert explanation is not None
    return explanation


def last(explanation: Explanation) -> Step:
    """The link that the chain of the only node ends with."""
    (node,) = explanation.nodes
    assert all(step.ok for step in node.steps[:-1])
    return node.steps[-1]


def test_announced_route_has_a_whole_chain() -> None:
    """When everything is in order all links are shown, ending with flushed."""
    explanation = ask(planned(), state=live())
    (node,) = explanation.nodes
    assert [step.step for step in node.steps] == [
        "assigned",
        "advertisement",
        "node",
        "endpoints",
        "health",
        "session",
        "sent",
        "flushed",
    ]
    assert node.announced
    assert explanation.answer == "203.0.113.10 (default/web) is announced by n1."


def test_peer_down_is_named_with_its_last_error() -> None:
    """With every session down the answer is peerDown and says why it went down."""
    step = last(ask(planned(), state=live(DOWN)))
    assert (step.step, step.reason) == ("session", Reason.PEER_DOWN)
    assert "hold timer expired" in step.message


def test_one_peer_up_is_enough() -> None:
    """A second peer that is down is mentioned, but the VIP is announced."""
    r2 = replace(R1, name="r2", address=ip("192.0.2.2"))
    sessions = {**UP, "r2": SessionState("r2", SessionStatus.DOWN, 0.0)}
    explanation = ask(planned(policy_=policy(peers=(R1, r2))), state=live(sessions))
    (node,) = explanation.nodes
    assert node.announced
    assert "r2 down" in node.steps[5].message


def test_unsent_and_unflushed_routes_are_told_apart() -> None:
    """A route not handed over is notSent, one not on the wire notAcknowledged."""
    waiting = last(ask(planned(), state=live(status=RouteStatus.DESIRED)))
    assert (waiting.step, waiting.reason) == ("sent", Reason.NOT_SENT)
    sent = last(ask(planned(), state=live(status=RouteStatus.SENT)))
    assert (sent.step, sent.reason) == ("flushed", Reason.NOT_ACKNOWLEDGED)


def test_unbound_address_is_held_back_and_says_why() -> None:
    """An address that could not be put on its interface is not sent, with the reason."""
    state = live(unbound={ip("203.0.113.10"): "no permission to change lo"})
    step = last(ask(planned(), state=state))
    assert (step.step, step.reason) == ("sent", Reason.NOT_SENT)
    assert "no permission to change lo" in step.message


def test_failing_health_is_the_answer() -> None:
    """A VirtualIP whose check fails breaks at the link health."""
    vip = VirtualIP("web", (ip("203.0.113.10"),), check=Check(TcpProbe("127.0.0.1", 80)))
    down = plan(
        Cluster(virtual_ips={"web": vip}),
        policy(),
        Local(node="n1", health={"web": Health.DOWN}),
    )
    step = last(ask(down, "virtualip/web", live()))
    assert (step.step, step.reason) == ("health", Reason.UNHEALTHY)


def test_no_matching_advertisement_says_which_selector() -> None:
    """Pool not covered, Service not selected and node not selected are told apart in words."""
    never = Selector((Requirement("never", Operator.EXISTS),))
    cases = {
        "covers pool edge": BGPAdvertisement("ad", pools=frozenset({"other"})),
        "serviceSelectors do not match default/web": BGPAdvertisement(
            "ad", service_selectors=(never,)
        ),
        "nodeSelectors do not match the labels of the node": BGPAdvertisement(
            "ad", node_selectors=(never,)
        ),
    }
    for words, advertisement in cases.items():
        step = last(ask(planned(policy_=policy(advertisement)), state=live()))
        assert (step.step, step.reason) == ("advertisement", Reason.NO_MATCHING_ADVERTISEMENT)
        assert words in step.message


def test_unknown_pool_breaks_the_first_link() -> None:
    """A VirtualIP that names an unknown pool has no address, and is told which pools there are."""
    vip = VirtualIP("web", pool="nowhere")
    nowhere = plan(Cluster(virtual_ips={"web": vip}), policy(), NODE)
    step = last(ask(nowhere, "virtualip/web"))
    assert (step.step, step.reason) == ("assigned", Reason.UNKNOWN_POOL)
    assert "edge" in step.message


def test_route_that_no_peer_takes_is_no_announcement() -> None:
    """An advertisement that names only unknown peers is found out at the link session."""
    nobody = planned(policy_=policy(BGPAdvertisement("ad", peers=frozenset({"ghost"}))))
    step = last(ask(nobody, state=live()))
    assert (step.step, step.ok) == ("session", False)


def test_nobody_has_the_target() -> None:
    """An address or name that is nowhere has no explanation, whatever its form."""
    for target in ("192.0.2.99", "default/none", "not an address"):
        assert explain(planned(), target, ("n1",), {"n1": live()}) is None


BGP_VERDICTS = (
    "memberDown draining noMatchingAdvertisement conflictingAdvertisements nodeNetworkUnavailable "
    "nodeLabeledExcludeBalancers noLocalEndpoints noEndpoints unhealthy noNextHop ipNotAllowed"
)
"""Every reason that CLI.md lets a BGP verdict have, but `announced`."""


@pytest.mark.parametrize("reason", BGP_VERDICTS.split())
def test_every_reason_of_a_verdict_has_its_link(reason: str) -> None:
    """Whatever verdict the plan has, the chain ends at a link that gives this very reason."""
    plan_ = planned()
    refused = replace(plan_.verdicts[0], reason=Reason(reason))
    step = last(ask(replace(plan_, verdicts=(refused,)), state=live()))
    assert (step.ok, step.reason.value) == (False, reason)


def test_aggregate_counts_for_the_addresses_inside() -> None:
    """The route of an aggregated VIP is the aggregate's."""
    wide = planned(policy_=policy(BGPAdvertisement("ad", aggregation_length=24)))
    assert set(wide.ribs["n1"]["r1"]) == {ipaddress.ip_network("203.0.113.0/24")}
    assert last(ask(wide, state=live())).step == "flushed"


def test_layer2_owner_and_who_waits_behind_it() -> None:
    """On layer 2 the chain ends with the election; who only waits is no reason to worry."""
    nodes = (Node("n1"), Node("n2"))
    layer2 = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))
    planned_ = plan(cluster(WEB, nodes=nodes), layer2, Local())
    explanation = explain(planned_, "default/web", ("n1", "n2"), {})
    assert explanation is not None
    ends = {node.node: node.steps[-1] for node in explanation.nodes}
    owner = next(name for name, step in ends.items() if step.ok)
    (spare,) = {"n1", "n2"} - {owner}
    assert (ends[owner].step, ends[spare].step) == ("elected", "elected")
    assert ends[spare].reason is Reason.NOT_OWNER
    assert explanation.answer == f"default/web is announced by {owner} on layer 2."


def test_a_reason_of_many_nodes_is_said_once() -> None:
    """Nodes with one and the same reason are named together, and others apart."""
    nodes = tuple(Node(name) for name in ("n1", "n2", "n3"))
    planned_ = plan(cluster(WEB, nodes=nodes), policy(), Local())
    lives = {"n1": live(DOWN), "n2": live(DOWN), "n3": live(status=RouteStatus.SENT)}
    explanation = explain(planned_, "default/web", ("n1", "n2", "n3"), lives)
    assert explanation is not None
    assert explanation.answer == (
        "default/web is not announced: n1, n2: r1 down (hold timer expired) (peerDown); "
        "n3: not yet flushed to r1 (notAcknowledged)."
    )


def test_both_protocols_are_explained_for_each_node() -> None:
    """A pool that is announced twice has a chain for each protocol, and one sentence for both."""
    both = Policy(
        (POOL,), (BGPAdvertisement("all"),), (R1,), l2_advertisements=(L2Advertisement("all"),)
    )
    explanation = explain(plan(cluster(WEB), both, Local()), "default/web", ("n1",), {})
    assert explanation is not None
    assert [node.protocol for node in explanation.nodes] == [Protocol.BGP, Protocol.LAYER2]
    assert explanation.answer == "default/web is announced by n1 over BGP and n1 on layer 2."


def test_running_speaker_does_not_claim_to_answer_on_layer2() -> None:
    """As long as no process answers, the live chain breaks at the election."""
    layer2 = Policy((POOL,), l2_advertisements=(L2Advertisement("all"),))
    step = last(ask(plan(cluster(WEB), layer2, NODE), state=live()))
    assert (step.step, step.reason) == ("elected", Reason.NOT_SENT)
