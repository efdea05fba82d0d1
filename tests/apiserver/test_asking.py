"""A cluster answers `explain`, `status`, `plan --against live` and kubectl's plugin by its objects alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.conftest import NAMESPACE
from tests.apiserver.plugin import environment
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    L2_ADVERTISEMENTS,
    L2_STATUSES,
    PEERS,
    POOLS,
    SERVICES,
    SLICES,
    SPEAKER_STATES,
    endpoint,
    give,
    made,
    poll,
    pool,
    service,
    sweep,
)

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
STATUS_FIELDS = [
    "node",
    "version",
    "role",
    "startedAt",
    "synced",
    "configValid",
    "problems",
    "draining",
    "counts",
    "nodes",
    "pools",
]
ANNOUNCED = "192.0.2.1"
ROUTE = {"peer": "router", "prefix": f"{ANNOUNCED}/32", "state": "sent"}


def configured(version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of MetalLB's group."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": f"metallb.io/{version}", "kind": kind, "metadata": metadata, "spec": spec}


def peer(name: str, **fields: Any) -> dict[str, Any]:
    """A BGPPeer."""
    spec = {"myASN": 64500, "peerASN": 64501, "peerAddress": "10.9.9.9", **fields}
    return configured("v1beta2", "BGPPeer", name, spec)


def advertisement(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """A BGPAdvertisement or L2Advertisement."""
    return configured("v1beta1", kind, name, spec)


def tell(server: ApiServer, path: str, name: str, status: dict[str, Any]) -> None:
    """Make an object and its status, as a speaker does."""
    made(server, path, {**_head(path), "metadata": {"name": name, "namespace": NAMESPACE}})
    body = {"status": status}
    answer = server.request("PATCH", f"{path}/{name}/status", body, kind="merge-patch+json")
    assert answer.status == 200, answer.message


def _head(path: str) -> dict[str, str]:
    if path == SPEAKER_STATES:
        return {"apiVersion": "orchestrator.io/v1alpha1", "kind": "SpeakerState"}
    return {"apiVersion": "metallb.io/v1beta1", "kind": "ServiceL2Status"}


def speaker_state(state: str, flushed: int, error: str | None = None) -> dict[str, Any]:
    """The status that a speaker with one session writes."""
    routes = {"desired": 1, "sent": 1, "flushed": flushed}
    session = {"peer": "router", "state": state, "since": "2026-07-01T10:00:00Z", "routes": routes}
    return {
        "version": "0.1.0",
        "sessions": [{**session, **({"lastError": error} if error else {})}],
        "routes": routes,
        "unflushed": [] if flushed else [ROUTE],
        "owned": 0,
    }


@pytest.fixture
def cluster(server: ApiServer) -> Iterator[ApiServer]:
    """Three nodes with one peer, and a Service that has an address and an endpoint.

    Nodes n1 and n2 have told of themselves: the session of n1 is up, that of n2 is down.
    """
    for name in ("n1", "n2", "n3"):
        made(server, "/api/v1/nodes", {"metadata": {"name": name}})
    made(server, POOLS, pool("edge", "192.0.2.0/28"))
    made(server, ADVERTISEMENTS, advertisement("BGPAdvertisement", "all"))
    made(server, PEERS, peer("router"))
    made(server, SERVICES, service("web"))
    give(server, "web", ANNOUNCED)
    made(server, SLICES, endpoint("web"))
    tell(server, SPEAKER_STATES, "n1", speaker_state("up", 1))
    tell(server, SPEAKER_STATES, "n2", speaker_state("down", 0, "hold time expired"))
    try:
        yield server
    finally:
        sweep(server)


def run(server: ApiServer, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of ours with the cluster's kubeconfig."""
    argv = [sys.executable, "-m", "orchestrator", *words, "--kubeconfig", str(server.kubeconfig)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, input=text)


def document(server: ApiServer, *words: str) -> Any:
    """What a command says as JSON, whatever its status."""
    done = run(server, *words, "-o", "json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def last_steps(found: Any) -> dict[str, tuple[str, str, str]]:
    """The last link of each node's chain: step, reason, message."""
    return {
        node["node"]: tuple(node["steps"][-1][key] for key in ("step", "reason", "message"))
        for node in found["nodes"]
    }


def test_explain_follows_every_node(cluster: ApiServer) -> None:
    """Each node's chain ends where its speaker says; who is silent is not taken to announce."""
    found = document(cluster, "explain", "default/web")
    assert [node["announced"] for node in found["nodes"]] == [True, False, False]
    assert [step["step"] for step in found["nodes"][0]["steps"]] == [
        "assigned",
        "advertisement",
        "node",
        "endpoints",
        "health",
        "session",
        "sent",
        "flushed",
    ]
    steps = last_steps(found)
    assert steps["n2"] == ("session", "peerDown", "router down (hold time expired)")
    assert steps["n3"] == (
        "session",
        "peerDown",
        "no speaker has told of this node: is its pod running?",
    )
    assert found["answer"].startswith("default/web is announced by n1, not by n2: router down")
    by_address = run(cluster, "explain", ANNOUNCED)
    assert by_address.returncode == 0
    assert by_address.stdout.startswith(f"{ANNOUNCED} (default/web) is announced by n1")


def test_a_route_that_waits_is_no_yes(cluster: ApiServer) -> None:
    """A route that a SpeakerState names as not flushed is notAcknowledged, with status 1."""
    body = {"status": speaker_state("up", 0)}
    path = f"{SPEAKER_STATES}/n1/status"
    assert cluster.request("PATCH", path, body, kind="merge-patch+json").status == 200
    done = run(cluster, "explain", "default/web", "-o", "json")
    assert done.returncode == 1
    assert last_steps(json.loads(done.stdout))["n1"][:2] == ("flushed", "notAcknowledged")


def test_explain_on_layer_2_goes_by_who_says_that_it_answers(cluster: ApiServer) -> None:
    """The owner is the node with the ServiceL2Status, and not the one that the plan prefers."""
    cluster.request("DELETE", f"{ADVERTISEMENTS}/all")
    made(cluster, L2_ADVERTISEMENTS, advertisement("L2Advertisement", "all"))
    steps = last_steps(document(cluster, "explain", "default/web"))
    assert steps["n1"] == ("elected", "notOwner", "answered by nobody on any interface")
    status = {"node": "n2", "serviceName": "web", "serviceNamespace": "default"}
    tell(cluster, L2_STATUSES, "x", {**status, "interfaces": [{"name": "eth0"}]})
    found = document(cluster, "explain", "default/web")
    assert found["answer"].startswith("default/web is announced by n2 on layer 2")
    steps = last_steps(found)
    assert steps["n1"] == ("elected", "notOwner", "answered by n2 on eth0")
    assert steps["n3"][:2] == ("elected", "notSent")


def test_who_waits_for_an_address_says_why(cluster: ApiServer) -> None:
    """A Service without an address has the allocator's reason; where that finds one, the controller is missing."""
    wrong = service("lost")
    wrong["metadata"]["annotations"] = {"metallb.io/address-pool": "edgee"}
    made(cluster, SERVICES, wrong)
    made(cluster, SERVICES, service("new"))
    made(cluster, SERVICES, service("inner", type="ClusterIP", allocateLoadBalancerNodePorts=None))
    lost = document(cluster, "explain", "default/lost")
    assert last_steps(lost)["n1"][:2] == ("assigned", "unknownPool")
    new = last_steps(document(cluster, "explain", "default/new"))["n1"]
    assert new[:2] == ("assigned", "noIPAllocated")
    assert "192.0.2.0 from pool edge" in new[2]
    inner = last_steps(document(cluster, "explain", "default/inner"))["n1"]
    assert inner[:2] == ("assigned", "notLoadBalancer")


def test_status_shows_nodes_pools_and_problems(cluster: ApiServer) -> None:
    """The fields of CLI.md, a line for each node, and what is wrong or missing."""
    found = document(cluster, "status")
    assert list(found) == STATUS_FIELDS
    assert found["counts"] == {
        "services": 1,
        "vips": 1,
        "announced": 1,
        "sessions": 3,
        "sessionsUp": 1,
        "routesDesired": 2,
        "routesSent": 2,
        "routesFlushed": 1,
        "owned": 0,
    }
    lines = {node["node"]: node for node in found["nodes"]}
    assert lines["n1"]["lastError"] is None
    assert lines["n2"]["lastError"] == "router: hold time expired"
    assert (lines["n3"]["version"], lines["n3"]["sessionsUp"]) == (None, 0)
    assert found["pools"] == [
        {"name": "edge", "ipv4": {"total": 16, "inUse": 1}, "ipv6": {"total": 0, "inUse": 0}}
    ]
    assert {one["code"] for one in found["problems"]} == {"noSpeaker", "noController"}
    table = run(cluster, "status").stdout
    assert "router: hold time expired" in table
    assert "1 of 16 in use" in table


def test_lists_have_all_nodes(cluster: ApiServer) -> None:
    """`sessions`, `routes` and `vips` have the items of CLI.md for each node."""
    sessions = document(cluster, "sessions")["items"]
    assert [(one["node"], one["state"]) for one in sessions] == [
        ("n1", "up"),
        ("n2", "down"),
        ("n3", "unknown"),
    ]
    assert sessions[0]["since"] == "2026-07-01T10:00:00Z"
    routes = document(cluster, "routes")["items"]
    assert [(one["node"], one["prefix"], one["state"]) for one in routes] == [
        ("n1", f"{ANNOUNCED}/32", "flushed"),
        ("n2", f"{ANNOUNCED}/32", "sent"),
        ("n3", f"{ANNOUNCED}/32", "desired"),
    ]
    vips = document(cluster, "vips")["items"]
    assert [(one["node"], one["reason"]) for one in vips] == [
        ("n1", "announced"),
        ("n2", "peerDown"),
        ("n3", "peerDown"),
    ]
    assert "n2" in run(cluster, "vips").stdout


def exported(server: ApiServer, kinds: str) -> str:
    """What `kubectl get` prints of the whole cluster."""
    program = shutil.which("kubectl")
    assert program, "kubectl is missing: apt-get install kubernetes-client"
    argv = [program, "--kubeconfig", str(server.kubeconfig), "get", kinds, "-A", "-o", "yaml"]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_same_objects_make_no_difference(cluster: ApiServer) -> None:
    """What kubectl exports is planned as what is live; files of configuration alone are, too."""
    kinds = "svc,endpointslices,nodes,namespaces,ipaddresspools,bgpadvertisements,bgppeers"
    for which in (kinds, "ipaddresspools,bgpadvertisements,bgppeers"):
        text = exported(cluster, which)
        done = run(cluster, "plan", "-f", "-", "--against", "live", text=text)
        assert (done.returncode, done.stdout) == (0, "no difference\n"), done.stderr


def test_a_change_is_shown_before_it_is_made(cluster: ApiServer, tmp_path: Path) -> None:
    """An advertisement with a community changes the routes of the Services that are there."""
    path = tmp_path / "new.yaml"
    new = [
        pool("edge", "192.0.2.0/28"),
        peer("router"),
        advertisement("BGPAdvertisement", "all", communities=["64500:1"]),
    ]
    path.write_text("".join(f"---\n{json.dumps(one)}\n" for one in new), encoding="utf-8")
    done = run(cluster, "plan", "-f", str(path), "--against", "live")
    assert done.returncode == 1
    assert f"~ n1 to router {ANNOUNCED}/32" in done.stdout
    assert "communities 64500:1" in done.stdout
    assert "orchestrator: services: the files have none" in done.stderr


@pytest.fixture
def viewer(cluster: ApiServer) -> Iterator[str]:
    """A user who may list no Secrets and ConfigMaps, as a context of the kubeconfig."""
    account = {"metadata": {"name": "viewer"}}
    made(cluster, ACCOUNTS, account)
    token = cluster.request("POST", f"{ACCOUNTS}/viewer/token", {"spec": {}})
    cluster.add_user("viewer", token.body["status"]["token"])
    core = {"apiGroups": [""], "resources": ["services", "nodes", "namespaces"]}
    groups = ["metallb.io", "orchestrator.io", "discovery.k8s.io"]
    rules = [core, {"apiGroups": groups, "resources": ["*"]}]
    made(
        cluster,
        f"{RBAC}/clusterroles",
        {**account, "rules": [{**one, "verbs": ["list"]} for one in rules]},
    )
    group = RBAC.split("/")[2]
    binding = {
        **account,
        "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": "default"}],
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "viewer"},
    }
    made(cluster, f"{RBAC}/clusterrolebindings", binding)
    try:
        yield "viewer"
    finally:
        for place in (f"{RBAC}/clusterrolebindings", f"{RBAC}/clusterroles", ACCOUNTS):
            cluster.request("DELETE", f"{place}/viewer")


def test_kinds_that_may_not_be_read_are_named(cluster: ApiServer, viewer: str) -> None:
    """Who may read some kinds only gets an answer by those; passwords are supposed to be there."""
    cluster.request("DELETE", f"{PEERS}/router")
    made(cluster, PEERS, peer("router", passwordSecret={"name": "word"}))
    asked = ("explain", "default/web", "--context", viewer)
    poll(lambda: run(cluster, *asked).returncode == 0, "allowed to look")
    done = run(cluster, *asked)
    assert "orchestrator: secrets: secrets may not be read" in done.stderr
    assert "Traceback" not in done.stderr
    found = document(cluster, "status", "--context", viewer)
    unread = {one["object"] for one in found["problems"] if one["code"] == "notRead"}
    assert unread == {"secrets", "configmaps"}
    assert found["synced"] is False


def test_a_server_that_is_away_is_status_3(cluster: ApiServer, tmp_path: Path) -> None:
    """Nobody answering, and no kubeconfig, are one line and status 3."""
    text = cluster.kubeconfig.read_text("utf-8").replace(f":{cluster.port}", ":1")
    away = tmp_path / "away"
    away.write_text(text, encoding="utf-8")
    for config in (away, tmp_path / "missing"):
        done = run_as(config, "status")
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith("orchestrator: ")
        assert done.stderr.count("\n") == 1


def run_as(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours with a kubeconfig."""
    argv = [sys.executable, "-m", "orchestrator", *words, "--kubeconfig", str(config)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def plugged(cluster: ApiServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a kubectl that finds the plugin."""
    return environment(tmp_path, cluster.kubeconfig)


def test_kubectl_runs_the_plugin(
    cluster: ApiServer, plugged: dict[str, str], tmp_path: Path
) -> None:
    """`kubectl orchestrator` explains, shows and drains by kubectl's own KUBECONFIG."""

    def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
        argv = ["kubectl", "orchestrator", *words]
        return subprocess.run(
            argv, env=plugged, capture_output=True, text=True, timeout=60, check=False
        )

    assert kubectl("explain", "default/web").stdout.startswith("default/web is announced by n1")
    assert json.loads(kubectl("status", "-o", "json").stdout)["role"] == "cluster"
    path = tmp_path / "pool.yaml"
    path.write_text(json.dumps(pool("edge", "192.0.2.0/28")), encoding="utf-8")
    assert kubectl("plan", "-f", str(path), "--against", "live").returncode == 1
    assert kubectl("drain", "n1").stdout == "draining: node n1 is annotated\n"
    annotations = cluster.request("GET", "/api/v1/nodes/n1").body["metadata"]["annotations"]
    assert "orchestrator.io/drain" in annotations
    steps = last_steps(json.loads(kubectl("explain", "default/web", "-o", "json").stdout))
    assert steps["n1"][:2] == ("node", "draining")
    assert kubectl("undrain", "n1").stdout == "not draining\n"
    assert kubectl("drain").stderr == "orchestrator: NODE: name the node of the cluster\n"
    wrong = kubectl("explain")
    assert wrong.returncode == 2
    assert "See kubectl orchestrator explain --help" in wrong.stderr
    assert "controller" not in kubectl("--help").stdout
