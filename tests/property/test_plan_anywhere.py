"""Whether anybody announces an address: asked of a few nodes, it is what all nodes would answer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.cluster import EXCLUDE_LABEL, Cluster, Endpoint, Node
from orchestrator.model.plan import AssignmentState, Plan
from orchestrator.planner import plan
from orchestrator.planner.plan import detail
from tests.property.test_plan_memo import LABELS, World

NAMES = [f"n{number}" for number in range(6)]
nodes = st.lists(
    st.builds(
        Node,
        st.sampled_from(NAMES),
        labels=st.sampled_from([*LABELS, *LABELS, {EXCLUDE_LABEL: ""}]),
        network_unavailable=st.sampled_from([False, False, True]),
        drain=st.sampled_from([None, None, "2026"]),
    ),
    unique_by=lambda node: node.name,
)
endpoints = st.lists(
    st.builds(Endpoint, st.sampled_from([*NAMES, None]), st.booleans()), max_size=4
).map(tuple)


def a_world(data: st.DataObject) -> tuple[Cluster, Any, Any]:
    """Services in a cluster of several nodes, seen from none of them."""
    cluster, policy, local = World(data, services=5, vips=0).inputs()
    members = {node.name: node for node in data.draw(nodes)}
    found = {key: data.draw(endpoints) for key in cluster.services}
    whole = replace(cluster, nodes=members, endpoints=found)
    return whole, policy, replace(local, node=None, anywhere=False)


Announced = dict[tuple[object, ...], set[str]]


def announced(planned: Plan) -> Announced:
    """The nodes that announce each address of each Service, by protocol."""
    found: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
    for one in planned.verdicts:
        if one.announced:
            found[one.service, one.address, one.protocol].update((one.node, *one.alike))
    return dict(found)


def reasons(planned: Plan) -> dict[tuple[object, ...], set[object]]:
    """What keeps addresses that nobody announces from being so, by protocol."""
    yes = announced(planned)
    found: defaultdict[tuple[object, ...], set[object]] = defaultdict(set)
    for one in planned.verdicts:
        if (key := (one.service, one.address, one.protocol)) not in yes:
            found[key].add(one.reason)
    return dict(found)


@given(st.data())
def test_a_sample_of_nodes_answers_for_all(data: st.DataObject) -> None:
    """Addresses, and the nodes that announce each, are those of a plan of every node.

    What nobody announces has for each of them a reason that some node gives.
    """
    cluster, policy, local = a_world(data)
    whole = plan(cluster, policy, local)
    asked = plan(cluster, policy, replace(local, anywhere=True))
    assert asked.assignments == whole.assignments
    assert asked.elections == whole.elections
    assert announced(asked) == announced(whole)
    assert reasons(asked).keys() == reasons(whole).keys()
    for key, found in reasons(asked).items():
        assert found <= reasons(whole)[key]
    assert not any(asked.ribs.values())


@given(st.data())
def test_the_detail_of_some_services_is_that_of_the_whole(data: st.DataObject) -> None:
    """Judged by themselves, Services that have an address together have the verdicts of the whole plan."""
    cluster, policy, local = a_world(data)
    whole = plan(cluster, policy, local)
    ours = [one for one in whole.assignments if one.state is AssignmentState.ASSIGNED]
    if not ours:
        return
    taken = set(data.draw(st.sampled_from(ours)).addresses)
    while True:
        known = [one for one in ours if taken & set(one.addresses)]
        more = taken.union(*(one.addresses for one in known))
        if more == taken:
            break
        taken = more
    part = detail(cluster, policy, local, known)
    keys = {one.service for one in known}
    assert part.verdicts == tuple(one for one in whole.verdicts if one.service in keys)
    assert part.elections == tuple(one for one in whole.elections if one.service in keys)
    assert part.sessions == whole.sessions
