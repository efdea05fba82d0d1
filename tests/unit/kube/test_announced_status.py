"""ServiceL2Status and ServiceBGPStatus follow what a node announces, and go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube import configuration_state, speaker_state
from orchestrator.kube.announced_status import bgp_writes, l2_writes, node_of, of_gone_nodes
from orchestrator.kube.speaker_state import SpeakerReport
from orchestrator.kube.writes import Write
from orchestrator.model.cluster import ServiceKey
from tests.unit.kube.server import applied

OURS = "metallb-system"
WEB, CART = ServiceKey("shop", "web"), ServiceKey("shop", "cart")
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "speaker-x", "uid": "1"}
Documents = dict[str, dict[str, Any]]
WANTED = st.dictionaries(
    st.sampled_from([WEB, CART, ServiceKey("n", "a"), ServiceKey("n", "b")]),
    st.frozensets(st.sampled_from(["x", "y", "z"])),
)
WRITERS = pytest.mark.parametrize("writes", [l2_writes, bgp_writes])


def all_applied(documents: Documents, writes: Iterable[Write]) -> Documents:
    """All objects after the writes, by name."""
    there = dict(documents)
    for write in writes:
        name = write.label.split("/")[1].split(" ")[0]
        if write.method == "DELETE":
            assert write.body is not None
            assert write.body["preconditions"]["uid"] == there.pop(name)["metadata"]["uid"]
        else:
            there[name] = applied(there.get(name), [write])
    return there


def statuses(documents: Documents) -> list[Any]:
    """What the objects say."""
    return [one["status"] for one in documents.values()]


def test_layer2() -> None:
    """An object is MetalLB's: its labels, its owner, the interfaces."""
    made = all_applied({}, l2_writes("n", OURS, {WEB: {"eth1", "eth0"}}, [], OWNER))
    (one,) = made.values()
    assert one["kind"] == "ServiceL2Status"
    assert one["metadata"]["name"].startswith("l2-")
    assert one["metadata"]["namespace"] == OURS
    assert one["metadata"]["ownerReferences"] == [OWNER]
    assert one["metadata"]["labels"] == {
        "metallb.io/node": "n",
        "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "shop",
    }
    assert one["status"] == {
        "node": "n",
        "serviceName": "web",
        "serviceNamespace": "shop",
        "interfaces": [{"name": "eth0"}, {"name": "eth1"}],
    }


def test_all_interfaces_are_none_by_name() -> None:
    """An empty list means all, as with MetalLB."""
    made = all_applied({}, l2_writes("n", OURS, {WEB: None}, []))
    assert statuses(made)[0]["interfaces"] == []


def test_bgp() -> None:
    """An object names the peers that the node announces to."""
    made = all_applied({}, bgp_writes("n", OURS, {WEB: {"r2", "r1"}}, []))
    (one,) = made.values()
    assert one["kind"] == "ServiceBGPStatus"
    assert one["metadata"]["name"].startswith("bgp-")
    assert one["status"]["peers"] == ["r1", "r2"]


@WRITERS
@given(before=WANTED, after=WANTED)
def test_objects_follow(
    writes: Callable[..., list[Write]],
    before: Mapping[ServiceKey, frozenset[str]],
    after: Mapping[ServiceKey, frozenset[str]],
) -> None:
    """Whatever was announced: there is one object for each Service now, and nothing more to write."""
    there = all_applied({}, writes("n", OURS, before, []))
    there = all_applied(there, writes("m", OURS, {WEB: {"x"}}, there.values()))
    there = all_applied(there, writes("n", OURS, after, there.values()))
    assert writes("n", OURS, after, there.values()) == []
    mine = [one for one in statuses(there) if one["node"] == "n"]
    found = {ServiceKey(one["serviceNamespace"], one["serviceName"]) for one in mine}
    assert found == set(after)
    assert len(mine) == len(after)
    assert len(there) == len(after) + 1


@WRITERS
def test_those_of_another_program_are_replaced(writes: Callable[..., list[Write]]) -> None:
    """An object about this node under a name that is not ours goes."""
    theirs = {
        "metadata": {"name": "l2-x7k2p", "namespace": OURS, "uid": "9"},
        "status": {"node": "n", "serviceName": "web", "serviceNamespace": "shop"},
    }
    there = all_applied({"l2-x7k2p": theirs}, writes("n", OURS, {WEB: {"x"}}, [theirs]))
    assert len(there) == 1
    assert "l2-x7k2p" not in there


def test_a_new_pod_takes_its_objects_over() -> None:
    """Objects of the pod before get the new one as owner, so that they do not go with the old."""
    there = all_applied({}, l2_writes("n", OURS, {WEB: None}, [], {**OWNER, "uid": "0"}))
    (write,) = l2_writes("n", OURS, {WEB: None}, there.values(), OWNER)
    (one,) = all_applied(there, [write]).values()
    assert one["metadata"]["ownerReferences"] == [OWNER]


def test_gone_nodes_leave_nothing() -> None:
    """All four kinds of a node that is gone are deleted, those of others and the controller's stay."""
    there: Documents = {}
    for node in ("n", "m"):
        there = all_applied(there, l2_writes(node, OURS, {WEB: None}, there.values()))
        there = all_applied(there, bgp_writes(node, OURS, {WEB: {"r"}}, there.values()))
        name = configuration_state.speaker_name(node)
        there = all_applied(there, configuration_state.write(OURS, name, [], None, at="t"))
        there = all_applied(there, speaker_state.write(OURS, SpeakerReport(node, "1"), None, "t"))
    there = all_applied(there, configuration_state.write(OURS, "controller", [], None, at="t"))
    left = all_applied(there, of_gone_nodes(there.values(), {"m"}))
    assert (len(there), len(left)) == (9, 5)
    assert {node_of(one) for one in left.values()} == {"m", None}
    assert of_gone_nodes(left.values(), {"m"}) == []


def test_an_object_that_was_just_made_is_known_by_its_label() -> None:
    """A speaker that ended between making an object and filling it leaves no riddle."""
    made = all_applied({}, l2_writes("n", OURS, {WEB: None}, [])[:1])
    (write,) = of_gone_nodes(made.values(), set())
    assert write.method == "DELETE"
