"""What is said of a cluster that was looked at once: who is silent, who drains, what was not read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from orchestrator.adapters import clock
from orchestrator.adapters.kube.listing import Listed
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    BGP_ADVERTISEMENTS,
    BGP_PEERS,
    CONFIGURATION_STATES,
    ENDPOINT_SLICES,
    IP_ADDRESS_POOLS,
    NODES,
    SECRETS,
    SPEAKER_STATES,
)
from orchestrator.kube.wire import Key, RawObject
from orchestrator.model.local import Local
from orchestrator.roles.cluster.documents import ClusterView
from orchestrator.roles.cluster.look import ALL_SERVICES, Look, seen

HOME = "metallb-system"
ADDRESS = "192.0.2.1"


def raw(name: str, namespace: str = "", **document: Any) -> RawObject:
    """An object as the server sends it in a list."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= document.pop("metadata", {})
    text = json.dumps({"metadata": metadata, **document}).encode()
    return RawObject(Key(namespace, name), "", "1", text)


def objects() -> dict[Resource, tuple[RawObject, ...]]:
    """Two nodes, of which n2 is cordoned, a Service that is announced, and a peer with a password."""
    session = {"peer": "r", "state": "up", "routes": {"desired": 1, "sent": 1, "flushed": 1}}
    peer = {"myASN": 64500, "peerASN": 64501, "peerAddress": "10.0.0.1"}
    ready = {"addresses": ["10.1.0.1"], "nodeName": "n1", "conditions": {"ready": True}}
    label = {"labels": {"kubernetes.io/service-name": "web"}}
    return {
        NODES: (raw("n1"), raw("n2", spec={"unschedulable": True})),
        ALL_SERVICES: (
            raw(
                "web",
                "default",
                spec={"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80}]},
                status={"loadBalancer": {"ingress": [{"ip": ADDRESS}]}},
            ),
        ),
        ENDPOINT_SLICES: (raw("web-1", "default", metadata=label, endpoints=[ready]),),
        IP_ADDRESS_POOLS: (raw("edge", HOME, spec={"addresses": ["192.0.2.0/30"]}),),
        BGP_ADVERTISEMENTS: (raw("all", HOME, spec={}),),
        BGP_PEERS: (raw("r", HOME, spec={**peer, "passwordSecret": {"name": "word"}}),),
        SPEAKER_STATES: (raw("n1", HOME, status={"version": "0.1.0", "sessions": [session]}),),
        CONFIGURATION_STATES: (raw("controller", HOME, status={"result": "Valid"}),),
    }


def looked(
    changed: dict[Resource, tuple[RawObject, ...]] | None = None,
    unread: dict[Resource, str] | None = None,
) -> Look:
    """The cluster, with some objects changed; those that may not be read are not there."""
    found = {**objects(), **(changed or {})}
    unread = {SECRETS: "may not be read"} if unread is None else unread
    listed = {one: there for one, there in found.items() if one not in unread}
    return seen(Listed(listed, unread), HOME, Local(), clock.monotonic())


def codes(look: Look) -> list[tuple[str, str]]:
    """What is wrong, by code and object."""
    return [(one["code"], one["object"]) for one in ClusterView(look).status()["problems"]]


def test_a_peer_counts_though_its_password_may_not_be_read() -> None:
    """Secrets that are not read are supposed to be there; those that are read have to be."""
    view = ClusterView(looked())
    found = view.explain("default/web")
    assert found is not None
    assert [node["announced"] for node in found["nodes"]] == [True, False]
    assert view.status()["synced"] is False
    missing = ClusterView(looked(unread={})).explain("default/web")
    assert missing is not None
    assert not any(node["announced"] for node in missing["nodes"])


def test_who_says_nothing_is_a_problem() -> None:
    """A node without SpeakerState and a cluster without a controller's state are named."""
    assert codes(looked()) == [("notRead", "secrets"), ("noSpeaker", "Node n2")]
    nobody = looked({CONFIGURATION_STATES: (), SPEAKER_STATES: ()})
    assert codes(nobody)[1:] == [
        ("noSpeaker", "Node n1"),
        ("noSpeaker", "Node n2"),
        ("noController", "controller"),
    ]


def test_nobody_is_blamed_for_what_was_not_read() -> None:
    """Where their objects may not be read, silence of speakers and controller means nothing."""
    unread = {SPEAKER_STATES: "may not be read", CONFIGURATION_STATES: "may not be read"}
    found = codes(looked(unread={**unread, SECRETS: "may not be read"}))
    assert {code for code, _ in found} == {"notRead"}


def test_who_cannot_read_the_configuration() -> None:
    """A ConfigurationState that is invalid is a problem with its own words."""
    invalid = {"result": "Invalid", "errorSummary": "pool x: wrong"}
    look = looked({CONFIGURATION_STATES: (raw("speaker-n1", HOME, status=invalid),)})
    told = {one["object"]: one["message"] for one in ClusterView(look).status()["problems"]}
    assert told["speaker-n1"] == "it found: pool x: wrong"


def test_draining_nodes_are_shown() -> None:
    """A node drains by its annotation; then it announces nothing."""
    annotated = {"annotations": {"orchestrator.io/drain": "2026-01-01T00:00:00Z"}}
    look = looked({NODES: (raw("n1", metadata=annotated), raw("n2"))})
    status = ClusterView(look).status()
    assert status["draining"] is True
    assert [node["draining"] for node in status["nodes"]] == [True, False]
    found = ClusterView(look).explain(ADDRESS)
    assert found is not None
    assert found["nodes"][0]["steps"][-1]["reason"] == "draining"


def test_an_address_nobody_has() -> None:
    """What no Service has is not explained."""
    assert ClusterView(looked()).explain("192.0.2.3") is None


def test_an_odd_object_is_a_problem_and_nothing_more() -> None:
    """A pool that is wrong is named, and the rest is answered."""
    wrong = raw("edge", HOME, spec={"addresses": ["nowhere"]})
    look = looked({IP_ADDRESS_POOLS: (wrong,)})
    assert ("invalidValue", f"IPAddressPool {HOME}/edge") in codes(look)
    assert ClusterView(look).status()["configValid"] is False


def test_ignored_labels_are_ignored_here_too() -> None:
    """With --ignore-exclude-lb a labelled node announces, as its speaker does with that flag."""
    label = {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}}
    listed = looked({NODES: (raw("n1", metadata=label),)}).listed
    for ignored in (False, True):
        local = replace(Local(), ignore_exclude_label=ignored)
        found = ClusterView(seen(listed, HOME, local, clock.monotonic())).explain("default/web")
        assert found is not None
        assert found["nodes"][0]["announced"] is ignored


def told(name: str, **status: Any) -> RawObject:
    """A SpeakerState with one session, and what else it has."""
    counts = {"desired": 1, "sent": 1, "flushed": 1}
    session = {"peer": "r", "state": "up", "since": "2026-01-01T00:00:00Z", "routes": counts}
    return raw(name, HOME, status={"version": "0.1.0", "sessions": [session], **status})


def test_a_silent_speaker_is_not_counted() -> None:
    """What it told of sessions, routes and owned addresses is left out; version and time are shown."""
    old, new = "2020-01-01T00:00:00Z", clock.wall_seconds()
    states = (told("n1", renewTime=old, owned=3), told("n2", renewTime=new, owned=2))
    view = ClusterView(looked({SPEAKER_STATES: states}))
    status = view.status()
    first, second = status["nodes"]
    assert (first["heard"], first["told"], first["version"]) == (False, old, "0.1.0")
    assert (first["sessionsUp"], first["routesSent"], first["owned"]) == (0, 0, 0)
    assert (second["heard"], second["told"], second["owned"]) == (True, new, 2)
    assert status["counts"]["sessionsUp"] == 1
    (silent,) = (one for one in status["problems"] if one["code"] == "noSpeaker")
    assert silent["object"] == "Node n1"
    assert f"(last at {old})" in silent["message"]
    sessions = [(one["state"], one["since"]) for one in view.sessions()["items"]]
    assert sessions == [("unknown", None), ("up", "2026-01-01T00:00:00Z")]
    assert [one["state"] for one in view.routes()["items"]] == ["desired", "flushed"]
    assert [one["reason"] for one in view.vips()["items"]] == ["peerDown", "announced"]


def test_the_flags_of_speakers_are_used_and_compared() -> None:
    """A class that most speakers serve is ours; that one serves another is a problem."""
    ours = {"loadBalancerClass": "example.org/lb", "ignoreExcludeLabel": False}
    states = (told("n1", **ours), told("n2", **ours), told("n3", ignoreExcludeLabel=False))
    (web,) = objects()[ALL_SERVICES]
    document = json.loads(web.text)
    document["spec"]["loadBalancerClass"] = "example.org/lb"
    served = raw("web", "default", spec=document["spec"], status=document["status"])
    look = looked({SPEAKER_STATES: states, ALL_SERVICES: (served,)})
    assert look.local == Local(lb_class="example.org/lb")
    found = ClusterView(look).explain("default/web")
    assert found is not None
    assert [node["announced"] for node in found["nodes"]] == [True, True]
    assert ("differentFlags", "--lb-class") in codes(look)


def test_troubles_of_segments_are_problems() -> None:
    """What a node tells of its segments is listed with its name, in its own words."""
    trouble = {"address": ADDRESS, "interface": "eth0", "reason": "addressConflict", "by": "x"}
    states = (told("n1", layer2=[trouble, {"interface": "eth1", "reason": "isolated"}]),)
    problems = ClusterView(looked({SPEAKER_STATES: states})).status()["problems"]
    found = {one["object"]: one["message"] for one in problems}
    assert found[f"address {ADDRESS} on n1"] == "x on eth0 says it has this address too"
    assert found["interface eth1 on n1"] == "all members are lost and the gateway is not heard"
