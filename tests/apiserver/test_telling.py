"""What speakers tell of themselves, asked from outside: that they live, how they are started, layer 2."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.kube.renewal import LATEST_S
from orchestrator.model.cluster import EXCLUDE_LABEL
from tests.apiserver.cluster import Cluster
from tests.apiserver.conftest import NAMESPACE
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    L2_ADVERTISEMENTS,
    LEASES,
    POOLS,
    SERVICES,
    SLICES,
    SPEAKER_STATES,
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
from tests.apiserver.running import prepare, running
from tests.fakes.apiserver_http import Written
from tests.fakes.apiserver_thread import ModelServer

ADDRESS, CLASS = "192.0.2.1", "example.org/lb"
POOL = pool("edge", "192.0.2.0/28")
ADVERTISEMENT = {
    "apiVersion": "metallb.io/v1beta1",
    "kind": "BGPAdvertisement",
    "metadata": {"name": "all", "namespace": NAMESPACE},
    "spec": {},
}
TIMES = 2
"""How often a speaker is waited for to say that it lives."""


@pytest.fixture
def server(either: Cluster) -> Iterator[Cluster]:
    """Play each test against the model and the real server: a labelled node, and a Service of a class."""
    labels = {EXCLUDE_LABEL: ""}
    made(either, "/api/v1/nodes", {"metadata": {"name": "n1", "labels": labels}})
    made(either, POOLS, POOL)
    made(either, ADVERTISEMENTS, ADVERTISEMENT)
    made(either, SERVICES, service("web", loadBalancerClass=CLASS))
    give(either, "web", ADDRESS)
    made(either, SLICES, endpoint("web"))
    keyed(either)
    try:
        yield either
    finally:
        sweep(either)


def said(server: Cluster, *words: str) -> str:
    """What a command says of the cluster, whatever its status."""
    argv = [sys.executable, "-m", "orchestrator", *words, "--kubeconfig", str(server.kubeconfig)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.stdout


def asked(server: Cluster, *words: str) -> Any:
    """The same as JSON."""
    return json.loads(said(server, *words, "-o", "json"))


def last(server: Cluster, *flags: str) -> tuple[str, str]:
    """Reason and message of the link that decides on the node."""
    (node,) = asked(server, "explain", "default/web", *flags)["nodes"]
    return node["steps"][-1]["reason"], node["steps"][-1]["message"]


def test_the_flags_of_speakers_are_taken(server: Cluster, tmp_path: Path) -> None:
    """Who asks need not know the flags that speakers were started with; what is given is taken."""
    assert last(server)[0] == "otherClass"
    flags = ("--node", "n1", "--lb-class", CLASS, "--ignore-exclude-lb")
    speaker = RoleProcess(server, "speaker", tmp_path, flags)
    try:
        state = poll(lambda: status_of(server, f"{SPEAKER_STATES}/n1"), "told")
        assert (state["loadBalancerClass"], state["ignoreExcludeLabel"]) == (CLASS, True)
        # There is no peer: all before that is well.
        poll(lambda: last(server)[0] == "peerDown", "taken the flags")
        assert last(server, "--lb-class", "example.org/other")[0] == "otherClass"
        files = tmp_path / "same.yaml"
        files.write_text(f"{json.dumps(POOL)}\n---\n{json.dumps(ADVERTISEMENT)}\n")
        same = said(server, "plan", "-f", str(files), "--against", "live")
        assert same == "no difference\n"
    finally:
        speaker.stop()


def long_ago(server: Cluster, name: str, minutes: int) -> None:
    """Let a SpeakerState be as if nothing had been told for so long, by the server's notes too."""
    at = datetime.now(UTC) - timedelta(minutes=minutes, seconds=20)
    status = {"status": {"renewTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    for path, body in (
        (f"{SPEAKER_STATES}/{name}/status", status),
        (f"{SPEAKER_STATES}/{name}", {"metadata": {"managedFields": [{}]}}),
    ):
        answer = server.request("PATCH", path, body, kind="merge-patch+json")
        assert answer.status == 200, answer.message


def test_a_killed_speaker_is_not_taken_to_announce(server: Cluster, tmp_path: Path) -> None:
    """A while after a speaker was killed its node is unheard, with since when; a new one is heard."""
    flags = ("--node", "n1", "--lb-class", CLASS, "--ignore-exclude-lb")
    speaker = RoleProcess(server, "speaker", tmp_path, flags)
    poll(lambda: status_of(server, f"{SPEAKER_STATES}/n1"), "told")
    speaker.kill()
    long_ago(server, "n1", 7)
    reason, message = last(server, "--lb-class", CLASS, "--ignore-exclude-lb")
    assert reason == "peerDown"
    assert message.startswith("its speaker has not told anything for 7 minutes (last at 2")
    status = asked(server, "status")
    assert [(one["node"], one["heard"]) for one in status["nodes"]] == [("n1", False)]
    (silent,) = (one for one in status["problems"] if one["code"] == "noSpeaker")
    assert silent["message"] == message
    assert "(silent)" in said(server, "status")
    again = RoleProcess(server, "speaker", tmp_path, flags)
    try:
        poll(lambda: "no session of n1" in last(server)[1], "heard again")
    finally:
        again.stop()


def test_a_controller_says_who_is_silent(server: Cluster, tmp_path: Path) -> None:
    """The controller's `explain` over HTTP does not take a silent speaker's node to announce either."""
    state = {"apiVersion": "orchestrator.io/v1alpha1", "kind": "SpeakerState"}
    made(server, SPEAKER_STATES, {**state, "metadata": {"name": "n1", "namespace": NAMESPACE}})
    long_ago(server, "n1", 3)
    flags = ("--node", "n1", "--lb-class", CLASS, "--ignore-exclude-lb")
    controller = RoleProcess(server, "controller", tmp_path, flags)

    def told() -> str:
        nodes = controller.document("explain/default/web").get("nodes", ())
        return nodes[0]["steps"][-1]["message"] if nodes else ""

    try:
        silent = "its speaker has not told anything for 3 minutes"
        poll(lambda: told().startswith(silent), "said that the speaker is silent")
        controller_saw = status_of(server, f"{SPEAKER_STATES}/n1")["renewTime"]
        assert controller_saw in told()
    finally:
        controller.stop()


def test_a_nodes_wrong_clock_is_no_silence(server: Cluster) -> None:
    """What the server took just now was told just now, whatever time the node says it is."""
    state = {"apiVersion": "orchestrator.io/v1alpha1", "kind": "SpeakerState"}
    made(server, SPEAKER_STATES, {**state, "metadata": {"name": "n1", "namespace": NAMESPACE}})
    wrong = {"status": {"renewTime": "2020-01-01T00:00:00Z", "version": "1"}}
    answer = server.request("PATCH", f"{SPEAKER_STATES}/n1/status", wrong, kind="merge-patch+json")
    assert answer.status == 200, answer.message
    noted = "managedFields" in server.request("GET", f"{SPEAKER_STATES}/n1").body["metadata"]
    (node,) = asked(server, "status")["nodes"]
    assert node["heard"] is noted


def test_what_a_node_tells_of_layer_2(server: Cluster) -> None:
    """A member's kernel that answers is said of the address as the node says it, and in `status`."""
    server.request("DELETE", f"{ADVERTISEMENTS}/all")
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement"}
    made(server, L2_ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    state = {"apiVersion": "orchestrator.io/v1alpha1", "kind": "SpeakerState"}
    made(server, SPEAKER_STATES, {**state, "metadata": {"name": "n1", "namespace": NAMESPACE}})
    trouble = {"address": ADDRESS, "interface": "eth0", "reason": "kernelAnswers", "by": "n2"}
    flags = {"loadBalancerClass": CLASS, "ignoreExcludeLabel": True}
    body = {"status": {**flags, "layer2": [{**trouble, "message": "m"}]}}
    answer = server.request("PATCH", f"{SPEAKER_STATES}/n1/status", body, kind="merge-patch+json")
    assert answer.status == 200, answer.message
    reason, message = last(server)
    assert reason == "kernelAnswers"
    assert message.startswith(f"the kernel of n2 answers for {ADDRESS} on eth0: set strictARP")
    (item,) = asked(server, "vips")["items"]
    assert (item["reason"], item["message"]) == (reason, message)
    problems = {one["code"]: one for one in asked(server, "status")["problems"]}
    assert problems["kernelAnswers"]["object"] == f"address {ADDRESS} on n1"


@pytest.mark.long
def test_a_speaker_says_that_it_lives_and_nobody_does_anything(tmp_path: Path) -> None:
    """At least once a minute it writes the time, and no more; no other role writes for that."""
    with ModelServer(tmp_path) as model:
        prepare(model)
        with running(model, tmp_path / "roles"):

            def writes() -> list[Written]:
                return [one for one in list(model.http.writes) if LEASES not in one.path]

            poll(lambda: _settled(model), "settled")
            before = len(writes())
            poll(lambda: len(writes()) >= before + TIMES, "told", TIMES * LATEST_S + 30)
            for one in writes()[before:]:
                assert (one.method, one.path) == ("PATCH", f"{SPEAKER_STATES}/n1/status")
                assert list(one.body["status"]) == ["renewTime"]


def _settled(model: ModelServer) -> bool:
    """Tell whether the last words were of nothing but the time."""
    written = [one for one in list(model.http.writes) if LEASES not in one.path]
    return bool(written) and list(written[-1].body.get("status", ())) == ["renewTime"]
