"""What speakers wrote of their nodes is read back as it was, and what nobody wrote is not made up."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from orchestrator.kube.resources import SERVICE_L2_STATUSES
from orchestrator.kube.speaker_state import (
    RENEWED,
    Member,
    Session,
    SpeakerReport,
    Unflushed,
    status_of,
)
from orchestrator.kube.told import SILENT_S, Clock, heard, lives, lost_nodes
from orchestrator.model.address import Family
from orchestrator.model.cluster import Node
from orchestrator.model.layer2_report import MemberReport, OwnerReport
from orchestrator.model.live import Live
from orchestrator.model.local import Local
from orchestrator.model.plan import Reason
from orchestrator.model.policy import L2Advertisement
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus
from orchestrator.planner import plan
from orchestrator.planner.explain import Explanation, explain
from tests.unit.planner.world import R1, cluster, policy, pool, service

AT = "2026-07-01T10:00:00Z"
WEB = service("web", "203.0.113.10")
WORLD = cluster(WEB, nodes=(Node("n1"), Node("n2")))
PLAN = plan(WORLD, policy(), Local())
LAYER2 = replace(policy(), bgp_advertisements=(), l2_advertisements=(L2Advertisement("all"),))
PREFIX = ip_network("203.0.113.10/32")
UP = SessionState("r1", SessionStatus.UP, 7.0, None, 1, 1, 1)


def moment(text: str) -> float:
    """The moment that all times here are of."""
    assert text == AT
    return 7.0


CLOCK = Clock(moment, 8.0)


def state(
    node: str,
    session: SessionState = UP,
    unflushed: tuple[Unflushed, ...] = (),
    members: tuple[Member, ...] = (),
) -> dict[str, Any]:
    """A SpeakerState as a speaker writes it."""
    told = SpeakerReport(node, "1.0", (Session(R1, session, AT),), unflushed, members=members)
    return {"metadata": {"name": node}, "status": status_of(told)}


def l2_status(node: str, *interfaces: str) -> dict[str, Any]:
    """A ServiceL2Status of the Service as a speaker, or MetalLB's, writes it."""
    names = [{"name": name} for name in interfaces]
    status = {"node": node, "serviceName": "web", "serviceNamespace": "default"}
    return {
        "kind": SERVICE_L2_STATUSES.kind,
        "metadata": {"name": "x"},
        "status": {**status, "interfaces": names},
    }


def read(*states: dict[str, Any]) -> dict[str, Live]:
    """What is known of both nodes over BGP."""
    return lives(PLAN, ("n1", "n2"), states, (), CLOCK)


def answered(*statuses: dict[str, Any], members: tuple[Member, ...] = ()) -> Explanation:
    """The explanation on layer 2, by what both nodes told."""
    made = plan(WORLD, LAYER2, Local())
    states = [state("n1", members=members), state("n2")]
    found = lives(made, ("n1", "n2"), states, statuses, CLOCK)
    explanation = explain(made, "default/web", ("n1", "n2"), found)
    assert explanation is not None
    return explanation


def test_sessions_are_as_they_were_told() -> None:
    """State, error, counts and the moment of the change come back."""
    down = SessionState("r1", SessionStatus.DOWN, 7.0, "hold time expired", 3, 2, 1)
    assert read(state("n1", down))["n1"].sessions == {"r1": down}


def test_a_route_that_is_not_named_is_flushed() -> None:
    """With room for more names, what has none got to the peer."""
    assert read(state("n1"))["n1"].route_status("r1", PREFIX) is RouteStatus.FLUSHED


def test_a_named_route_is_as_it_is_named() -> None:
    """A route that waits says how far it got."""
    waiting = replace(UP, flushed=0)
    told = state("n1", waiting, (Unflushed("r1", PREFIX, RouteStatus.SENT),))
    assert read(told)["n1"].route_status("r1", PREFIX) is RouteStatus.SENT


def test_with_too_many_to_name_nothing_is_promised() -> None:
    """Where routes are left out of the list, one that is not named may be one of them."""
    many = [Unflushed("r1", ip_network(f"198.51.100.{n}/32"), RouteStatus.SENT) for n in range(60)]
    some = state("n1", replace(UP, desired=61, sent=61, flushed=1), tuple(many))
    assert read(some)["n1"].route_status("r1", PREFIX) is RouteStatus.SENT
    none = state("n1", replace(UP, desired=61, sent=3, flushed=1), tuple(many))
    assert read(none)["n1"].route_status("r1", PREFIX) is RouteStatus.DESIRED


def test_a_route_the_speaker_does_not_want_yet_is_not_sent() -> None:
    """A speaker that wants fewer routes than there should be may not know of this one."""
    assert read(state("n1", replace(UP, desired=0, sent=0, flushed=0)))["n1"].route_status(
        "r1", PREFIX
    ) is (RouteStatus.DESIRED)


def test_what_a_speaker_leaves_out_is_told_by_family() -> None:
    """A speaker that wants no IPv6 route has sent none, and all of IPv4; the words say what is likely."""
    six = service("six", "2001:db8::1", families=(Family.IPV6,))
    both = policy(
        pools=(pool("edge", "203.0.113.0/24"), pool("six", "2001:db8::/120")),
        peers=(replace(R1, dual_stack=True),),
    )
    made = plan(cluster(WEB, six, nodes=(Node("n1"),)), both, Local())
    assert len(made.ribs["n1"]["r1"]) == 2
    found = lives(made, ("n1",), [state("n1")], (), CLOCK)
    four = explain(made, "default/web", ("n1",), found)
    assert four is not None
    assert four.nodes[0].announced
    other = explain(made, "default/six", ("n1",), found)
    assert other is not None
    step = other.nodes[0].steps[-1]
    assert (step.step, step.reason) == ("sent", Reason.NOT_SENT)
    assert "its speaker wants 0 of 1 ipv6 routes" in step.message


def test_a_silent_node_is_no_yes() -> None:
    """Where no speaker told of a node its chain ends with that, at session."""
    explanation = explain(PLAN, "default/web", ("n1", "n2"), read(state("n1")))
    assert explanation is not None
    first, second = explanation.nodes
    assert (first.node, first.announced) == ("n1", True)
    last = second.steps[-1]
    assert (last.step, last.reason) == ("session", Reason.PEER_DOWN)
    assert last.message == "no speaker has told of this node: is its pod running?"


def test_a_silent_node_on_layer_2() -> None:
    """On layer 2 the link that nothing is known of is elected."""
    made = plan(WORLD, LAYER2, Local())
    found = lives(made, ("n1", "n2"), (), (), CLOCK)
    explanation = explain(made, "default/web", ("n1", "n2"), found)
    assert explanation is not None
    assert {node.steps[-1].step for node in explanation.nodes} == {"elected"}
    assert not any(node.announced for node in explanation.nodes)


def test_what_a_lost_node_told_does_not_count() -> None:
    """A node that Kubernetes has lost announces nothing, whatever it told last."""
    pressure = {"type": "DiskPressure", "status": "Unknown"}
    nodes = [
        {"metadata": {"name": name}, "status": {"conditions": [pressure, ready]}}
        for name, ready in (
            ("n1", {"type": "Ready", "status": "Unknown"}),
            ("n2", {"type": "Ready", "status": "False"}),
        )
    ]
    lost = lost_nodes([*nodes, {"metadata": {"name": "n3"}}])
    assert lost == {"n1"}
    told = [state("n1"), state("n2")]
    found = lives(PLAN, ("n1", "n2"), told, (), CLOCK, lost=lost)
    explanation = explain(PLAN, "default/web", ("n1", "n2"), found)
    assert explanation is not None
    assert explanation.answer == (
        "default/web is announced by n2, not by n1: the node is lost (Ready is Unknown): "
        "what its speaker told last is old (peerDown)."
    )
    made = plan(WORLD, LAYER2, Local())
    statuses = [l2_status("n1", "eth0")]
    layer2 = lives(made, ("n1", "n2"), told, statuses, CLOCK, lost=lost)
    explanation = explain(made, "default/web", ("n1", "n2"), layer2)
    assert explanation is not None
    assert not any(node.announced for node in explanation.nodes)


def test_who_answers_is_who_says_so() -> None:
    """The node with a ServiceL2Status answers, and the others name it."""
    explanation = answered(l2_status("n2", "eth0"))
    steps = {node.node: node.steps[-1] for node in explanation.nodes}
    assert (steps["n2"].ok, steps["n2"].message) == (True, "answered by n2 on eth0")
    assert (steps["n1"].reason, steps["n1"].message) == (
        Reason.NOT_OWNER,
        "answered by n2 on eth0",
    )
    assert explanation.answer == "default/web is announced by n2 on layer 2."


def test_all_interfaces() -> None:
    """A status without interfaces, as MetalLB writes it for all, counts as well."""
    steps = {node.node: node.steps[-1] for node in answered(l2_status("n1")).nodes}
    assert steps["n1"].message == "answered by n1 on any interface"


def test_nobody_answers() -> None:
    """Without any status no node is said to answer, and each says so."""
    explanation = answered(members=(Member("eth0", MemberReport("n2", "up", 7.0), AT),))
    assert not any(node.announced for node in explanation.nodes)
    assert {node.steps[-1].message for node in explanation.nodes} == {
        "answered by nobody on any interface"
    }
    assert [node.node for node in explanation.nodes] == ["n1", "n2"]


def test_members_and_owners_are_as_told() -> None:
    """The report has the members of each segment, silent ones with the moment, and the owners."""
    made = plan(WORLD, LAYER2, Local())
    alive = Member("eth0", MemberReport("n2", "up", 0.0), AT)
    silent = Member("eth0", MemberReport("n3", "leaving", 7.0, alive=False), AT)
    told = [state("n1", members=(alive, silent))]
    found = lives(made, ("n1",), told, [l2_status("n1", "eth0")], CLOCK)["n1"].layer2
    assert found is not None
    segment = next(one for one in found.segments if one.interface == "eth0")
    assert segment.members == (alive.report, silent.report)
    assert found.owners == {
        ip_address("203.0.113.10"): (OwnerReport("eth0", "n1", 0.0, wanted=True),)
    }


def test_empty_objects_are_no_trouble() -> None:
    """A SpeakerState that has no status yet tells of no session and no member."""
    bare = {"metadata": {"name": "n1"}}
    stray = {"metadata": {"name": "x"}, "status": {}}
    found = lives(PLAN, ("n1",), [bare], [stray], CLOCK)["n1"]
    assert (found.sessions, found.unheard) == ({}, "")


def test_other_services_do_not_count() -> None:
    """Who answers for another Service is no owner of this one."""
    other = l2_status("n1", "eth0")
    other["status"]["serviceName"] = "mail"
    assert not any(node.announced for node in answered(other).nodes)


def test_bgp_needs_no_layer_2() -> None:
    """With BGP alone nobody is named as owner."""
    told = read(state("n1"))["n1"].layer2
    assert told is not None
    assert told.owners == {}


def renewed(age_s: float, node: str = "n1") -> dict[str, Any]:
    """A SpeakerState that was told last so long before now."""
    told = state(node)
    told["status"][RENEWED] = f"{8.0 - age_s}"
    return told


TIMES = Clock(lambda text: 7.0 if text == AT else float(text), 8.0)


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (SILENT_S + 1, "2 minutes"),
        (7 * 60 + 59, "7 minutes"),
        (119 * 60, "119 minutes"),
        (2 * 3600, "2 hours"),
        (50 * 3600, "2 days"),
    ],
)
def test_what_a_silent_speaker_told_does_not_count(age_s: float, words: str) -> None:
    """Who has told nothing for longer than it may counts as unheard, with since when, in words."""
    found = lives(PLAN, ("n1",), [renewed(age_s)], (), TIMES)
    explanation = explain(PLAN, "default/web", ("n1",), found)
    assert explanation is not None
    last = explanation.nodes[0].steps[-1]
    assert (last.step, last.reason) == ("session", Reason.PEER_DOWN)
    assert last.message == (
        f"its speaker has not told anything for {words} (last at {8.0 - age_s}): is its pod running? "
        "What ExaBGP and layer2 announced they go on announcing for a while"
    )
    assert (found["n1"].sessions, found["n1"].layer2) == ({}, None)


@pytest.mark.parametrize("age_s", [0.0, 60.0, SILENT_S, -30.0, -3600.0])
def test_who_tells_in_time_counts(age_s: float) -> None:
    """As long as a speaker may be silent, and by a clock that is ahead of ours, it is heard."""
    assert not lives(PLAN, ("n1",), [renewed(age_s)], (), TIMES)["n1"].unheard


def test_the_servers_note_of_the_time_counts_before_the_nodes_clock() -> None:
    """When the server took the time counts, whatever clock the node has; other fields' times do not."""
    status: dict[str, Any] = {"f:status": {f"f:{RENEWED}": {}}}
    for noted, told, silent in ((8.0, -3600.0, False), (8.0 - SILENT_S - 1, 3600.0, True)):
        one = renewed(8.0 - told)
        one["metadata"]["managedFields"] = [
            {"time": f"{noted}", "subresource": "status", "fieldsV1": status},
            {"time": "9.0", "fieldsV1": {"f:metadata": {}}},
            {"time": "9.0"},
        ]
        assert bool(lives(PLAN, ("n1",), [one], (), TIMES)["n1"].unheard) is silent


def test_an_older_version_tells_no_time_and_counts() -> None:
    """A SpeakerState without a time is taken as it is, whatever the time is."""
    late = Clock(moment, 1e9)
    assert not lives(PLAN, ("n1",), [state("n1")], (), late)["n1"].unheard


@pytest.mark.parametrize(
    "wrong",
    [
        {RENEWED: "yesterday"},
        {"unflushed": [{"peer": "r1", "prefix": "nowhere", "state": "sent"}]},
        {"sessions": [{"peer": "r1", "state": "odd"}]},
        {"sessions": [{"state": "up"}]},
        {"layer2": [{"address": "nowhere"}]},
    ],
)
def test_what_cannot_be_read_is_said(wrong: dict[str, Any]) -> None:
    """A SpeakerState that somebody spoiled is a node of which nothing is known, and no more."""
    spoiled = {"metadata": {"name": "n1"}, "status": wrong}
    found = lives(PLAN, ("n1", "n2"), [spoiled, state("n2")], (), TIMES)
    assert found["n1"].unheard.startswith("what its SpeakerState says cannot be read: ")
    assert found["n2"].sessions == {"r1": UP}


def test_whose_states_count() -> None:
    """Those of silent speakers and lost nodes do not."""
    states = [renewed(0.0), renewed(SILENT_S + 1, "n2"), state("n3"), state("n4")]
    counting = heard(states, TIMES, lost={"n4"})
    assert [one["metadata"]["name"] for one in counting] == ["n1", "n3"]


def test_an_owner_whose_speaker_is_silent_answers_until_another_does() -> None:
    """Layer 2 goes on without a speaker, so others name it; it is no yes, and another is believed first."""
    made = plan(WORLD, LAYER2, Local())
    told = [renewed(SILENT_S + 1), state("n2")]

    def last(*statuses: dict[str, Any]) -> list[tuple[str, bool]]:
        found = lives(made, ("n1", "n2"), told, statuses, TIMES)
        explanation = explain(made, "default/web", ("n1", "n2"), found)
        assert explanation is not None
        steps = [node.steps[-1] for node in explanation.nodes]
        return [(step.message, step.ok) for step in steps]

    (silent, ok), other = last(l2_status("n1", "eth0"))
    assert silent.startswith("its speaker has not told anything")
    assert (ok, other) == (False, ("answered by n1 on eth0", False))
    both = last(l2_status("n1", "eth0"), l2_status("n2", "eth0"))
    assert both[1] == ("answered by n2 on eth0", True)
