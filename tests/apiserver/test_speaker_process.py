"""A speaker in a cluster: what it knows, what it says, and what it does in an outage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.cluster import Cluster
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    PEERS,
    POOLS,
    SERVICES,
    SETTINGS,
    SLICES,
    SPEAKER_STATES,
    STATES,
    RoleProcess,
    endpoint,
    give,
    keyed,
    made,
    poll,
    pool,
    service,
    status_of,
    sweep,
)

SPEAKER_STATE = f"{SPEAKER_STATES}/n1"
AFTER_ALL = ("peerDown", "noNextHop")


class Speaker(RoleProcess):
    """`orchestrator speaker` of node n1, without ExaBGP."""

    def __init__(self, server: Cluster, directory: Path) -> None:
        super().__init__(server, "speaker", directory, ("--node", "n1"))

    def reasons(self) -> dict[str, str]:
        """The reason of each address over BGP."""
        items = self.document("vips").get("items", ())
        return {item["address"]: item["reason"] for item in items}


@pytest.fixture
def server(either: Cluster) -> Cluster:
    """Play each test against the model and the real server."""
    return either


@pytest.fixture
def speaker(server: Cluster, tmp_path: Path) -> Iterator[Speaker]:
    """A speaker in a cluster with a pool, an advertisement, a peer and a node."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("speaker-pool", "192.0.2.0/28"))
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    kind = {"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer"}
    spec = {"myASN": 64500, "peerASN": 64501, "peerAddress": "10.9.9.9"}
    made(server, PEERS, {**kind, "metadata": {"name": "router"}, "spec": spec})
    keyed(server)
    process = Speaker(server, tmp_path)
    try:
        yield process
    finally:
        process.stop()
        sweep(server)


def test_a_service_from_nothing_to_announced(server: Cluster, speaker: Speaker) -> None:
    """An address counts when it is in the status, is announced with an endpoint, and goes again."""
    poll(lambda: speaker.document("status").get("synced"), "synced")
    made(server, SERVICES, service("web"))
    poll(lambda: speaker.document("status")["counts"]["services"] == 1, "known")
    assert speaker.reasons() == {}
    give(server, "web", "192.0.2.1")
    poll(lambda: speaker.reasons() == {"192.0.2.1": "noEndpoints"}, "without endpoints")
    made(server, SLICES, endpoint("web"))
    # There is no ExaBGP here; all before that is well.
    poll(lambda: speaker.reasons().get("192.0.2.1") in AFTER_ALL, "announced as far as it can be")
    server.request("DELETE", f"{SERVICES}/web")
    poll(lambda: speaker.reasons() == {}, "gone")


def test_what_is_known_outlives_the_api_server(server: Cluster, speaker: Speaker) -> None:
    """While the API server is away nothing changes, and afterwards what did is known."""
    made(server, SERVICES, service("web"))
    give(server, "web", "192.0.2.1")
    poll(lambda: speaker.reasons() == {"192.0.2.1": "noEndpoints"}, "known")
    server.kill()
    try:
        away = "notWatched"
        poll(
            lambda: away in {one["code"] for one in speaker.document("status")["problems"]},
            "said that the API server is away",
        )
        assert speaker.reasons() == {"192.0.2.1": "noEndpoints"}
    finally:
        server.start()
    give(server, "web", "192.0.2.2")
    poll(lambda: speaker.reasons() == {"192.0.2.2": "noEndpoints"}, "known again")
    poll(lambda: not speaker.document("status")["problems"], "well again")


def command(server: Cluster, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours with the cluster's kubeconfig."""
    argv = [sys.executable, "-m", "orchestrator", *words, "--kubeconfig", str(server.kubeconfig)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def kept(tmp_path: Path) -> str:
    """How far the speaker's drain is, by what it keeps of it."""
    found = json.loads((tmp_path / "s/drain.json").read_text("utf-8"))
    return str(found["phase"])


def test_a_node_is_drained_by_command(server: Cluster, speaker: Speaker, tmp_path: Path) -> None:
    """`drain NODE` annotates the Node, once; its speaker follows, and follows `undrain`."""
    poll(lambda: speaker.document("status").get("synced"), "synced")
    assert command(server, "drain", "n1", "--wait", "0.5").returncode == 0
    poll(lambda: speaker.document("status")["draining"], "draining")
    poll(lambda: kept(tmp_path) == "withdrawn", "over, after the wait that was asked for")
    first = server.request("GET", "/api/v1/nodes/n1").body["metadata"]["annotations"]
    assert command(server, "drain", "n1").returncode == 0
    assert server.request("GET", "/api/v1/nodes/n1").body["metadata"]["annotations"] == first
    assert command(server, "undrain", "n1").stdout == "not draining\n"
    assert not server.request("GET", "/api/v1/nodes/n1").body["metadata"].get("annotations")
    poll(lambda: not speaker.document("status")["draining"], "well again")
    missing = command(server, "drain", "n9")
    assert (missing.returncode, missing.stderr) == (
        3,
        'orchestrator: node n9: nodes "n9" not found\n',
    )


def test_a_cordoned_node_drains_where_that_is_wanted(server: Cluster, speaker: Speaker) -> None:
    """A cordon means nothing by default; with drainOnCordon it drains, and uncordoning ends it."""
    made(server, SERVICES, service("web"))
    give(server, "web", "192.0.2.1")
    made(server, SLICES, endpoint("web"))
    poll(lambda: speaker.reasons().get("192.0.2.1") in AFTER_ALL, "announced as far as it can be")
    cordon(server, cordoned=True)
    made(server, SERVICES, service("seen-after"))
    poll(
        lambda: speaker.document("status")["counts"]["services"] == 2, "seen later than the cordon"
    )
    assert not speaker.document("status")["draining"]
    kind = {"apiVersion": "orchestrator.io/v1alpha1", "kind": "Settings"}
    made(server, SETTINGS, {**kind, "metadata": {"name": "all"}, "spec": {"drainOnCordon": True}})
    try:
        poll(lambda: speaker.document("status")["draining"], "draining")
        poll(lambda: speaker.reasons() == {"192.0.2.1": "draining"}, "told so of its address")
        cordon(server, cordoned=False)
        poll(lambda: not speaker.document("status")["draining"], "well again")
    finally:
        server.request("DELETE", f"{SETTINGS}/all")


def cordon(server: Cluster, *, cordoned: bool) -> None:
    """Cordon the node, or end that, as kubectl does."""
    body = {"spec": {"unschedulable": cordoned or None}}
    answer = server.request("PATCH", "/api/v1/nodes/n1", body, kind="merge-patch+json")
    assert answer.status == 200, answer.message


def test_what_a_speaker_tells(server: Cluster, speaker: Speaker) -> None:
    """Its state and its view of the configuration are objects that anybody can read."""
    view = poll(lambda: status_of(server, f"{STATES}/speaker-n1"), "told")
    assert view["result"] == "Valid"
    state = poll(lambda: status_of(server, SPEAKER_STATE), "told")
    assert (state["node"], state["owned"]) == ("n1", 0)
    made(server, POOLS, pool("wrong", "192.0.2.2/31"))
    poll(
        lambda: status_of(server, f"{STATES}/speaker-n1")["result"] == "Invalid",
        "told that a pool overlaps",
    )
    assert speaker.process.poll() is None
