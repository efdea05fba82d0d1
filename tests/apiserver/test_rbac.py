"""Controller and speaker have the rights of the manifests, need each of them, and get by with them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    CONFIGURATION_STATES,
    LEASES,
    SERVICE_BGP_STATUSES,
    SERVICE_L2_STATUSES,
    SPEAKER_STATES,
    WRITTEN_BY_NODES,
    watched_by_controller,
    watched_by_speaker,
    written_by_nodes,
)
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.accounts import Accounts, Asked, covers
from tests.apiserver.conftest import NAMESPACE
from tests.apiserver.processes import (
    POOLS,
    SERVICES,
    SLICES,
    STATES,
    RoleProcess,
    addresses,
    endpoint,
    give,
    keyed,
    made,
    poll,
    pool,
    service,
    sweep,
)
from tests.unit.deploy.asked import WRITES
from tests.unit.deploy.manifests import (
    ACCOUNTS,
    BASE,
    CONTROLLER,
    DIRECTORY,
    OVERLAYS,
    SPEAKER,
    Right,
    granted,
)

GONE = {"metallb.io/node": "gone"}
LEFT = {
    CONFIGURATION_STATES: {"name": "speaker-gone"},
    SERVICE_L2_STATUSES: {"name": "l2-gone", "labels": GONE},
    SERVICE_BGP_STATUSES: {"name": "bgp-gone", "labels": GONE},
    SPEAKER_STATES: {"name": "gone"},
}
"""What the speaker of a node that is gone has left."""
WRITE_RIGHTS = [one for one in granted(CONTROLLER) if one.verb not in {"list", "watch"}]
STATUSES = {one.plural: one for one in written_by_nodes(NAMESPACE)}
SINGLE = [
    (CONTROLLER, "coordination.k8s.io/leases"),
    (CONTROLLER, "metallb.io/configurationstates"),
    (CONTROLLER, "/services"),
    (SPEAKER, "/services"),
    (SPEAKER, "/secrets"),
    (SPEAKER, "/configmaps"),
    (SPEAKER, "metallb.io/bgppeers"),
]


@pytest.fixture(scope="module")
def accounts(server: ApiServer) -> Iterator[Accounts]:
    """The accounts of the base, for all tests of this file."""
    found = Accounts(server)
    try:
        yield found
    finally:
        found.remove()


@pytest.fixture
def cluster(server: ApiServer, accounts: Accounts) -> Iterator[Accounts]:
    """A cluster with a pool, a node, and what a gone node left."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("four", "192.0.2.0/30"))
    for resource in written_by_nodes(NAMESPACE):
        kind = {"apiVersion": f"{resource.group}/{resource.version}", "kind": resource.kind}
        (metadata,) = [told for one, told in LEFT.items() if one.kind == resource.kind]
        made(server, resource.path, {**kind, "metadata": metadata})
    try:
        yield accounts
    finally:
        sweep(server)


def names(server: ApiServer, resource: Resource) -> set[str]:
    """Names of the objects that are there."""
    items = server.request("GET", resource.path).body["items"]
    return {one["metadata"]["name"] for one in items}


@contextmanager
def running(server: ApiServer, account: str, directory: Path) -> Iterator[RoleProcess]:
    """Run a role with the rights of its account."""
    role = account.removeprefix("orchestrator-")
    one = RoleProcess(server, role, directory / role, ("--node", "n1", "--context", account))
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def without(accounts: Accounts, account: str, *rights: Right) -> Iterator[None]:
    """Take rights from an account for a while."""
    accounts.take(account, rights)
    try:
        yield
    finally:
        accounts.restore(account, rights)


def complaints(one: RoleProcess) -> list[dict[str, Any]]:
    """What a role's log has of warnings and errors."""
    lines = [json.loads(line) for line in one.log.read_text("utf-8").splitlines()]
    return [line for line in lines if line["level"] in {"warning", "error"}]


def unlabelled(server: ApiServer) -> None:
    """Take the labels from the controller's view, as a strange writer may."""
    body = {"metadata": {"labels": None}}
    server.request("PATCH", f"{STATES}/controller", body, "merge-patch+json")


def labels(server: ApiServer) -> dict[str, str]:
    """Labels of the controller's view."""
    metadata = server.request("GET", f"{STATES}/controller").body.get("metadata", {})
    found: dict[str, str] = metadata.get("labels", {})
    return found


def reasons(server: ApiServer) -> set[str]:
    """Reasons of all Events about Services."""
    items = server.request("GET", "/api/v1/namespaces/default/events").body["items"]
    return {one["reason"] for one in items}


def provoked(server: ApiServer, asked: Asked) -> set[Right]:
    """Give the controller's view something to mend, and return what was refused so far."""
    unlabelled(server)
    return asked.refused()


@pytest.mark.usefixtures("cluster")
def test_the_controller_does_all_its_work(server: ApiServer, tmp_path: Path) -> None:
    """Address, Event, pool's counts, view, clearing up, Lease: nothing is refused, no right idle."""
    asked = Asked(server, CONTROLLER)
    with running(server, CONTROLLER, tmp_path) as controller:
        made(server, SERVICES, service("web"))
        poll(lambda: addresses(server)["web"], "given an address")
        poll(lambda: "IPAllocated" in reasons(server), "told of")
        four = f"{POOLS}/four"
        poll(
            lambda: server.request("GET", four).body.get("status", {}).get("assignedIPv4") == 1,
            "counted",
        )
        view = f"{STATES}/controller"
        poll(
            lambda: server.request("GET", view).body.get("status", {}).get("result") == "Valid",
            "told that all is well",
        )
        unlabelled(server)
        poll(lambda: labels(server), "labelled again")
        poll(
            lambda: (
                not any("gone" in name for one in STATUSES.values() for name in names(server, one))
            ),
            "cleared up",
        )
        poll(lambda: not asked.unused(), "all rights used")
        assert complaints(controller) == []
    assert asked.refused() == set()


@pytest.mark.usefixtures("cluster")
def test_the_speaker_does_all_its_work(server: ApiServer, tmp_path: Path) -> None:
    """It knows the cluster, and may write what it tells: nothing is refused, no right idle."""
    asked = Asked(server, SPEAKER)
    keyed(server)
    with running(server, SPEAKER, tmp_path) as speaker:
        poll(lambda: speaker.document("status").get("synced"), "synced")
        made(server, SERVICES, service("web"))
        give(server, "web", "192.0.2.1")
        made(server, SLICES, endpoint("web"))
        poll(lambda: speaker.document("status")["counts"]["vips"] == 1, "known")
        assert speaker.document("status")["problems"] == []
        watched = watched_by_speaker(NAMESPACE)
        poll(lambda: not used_by_nobody(asked, watched), "all watched")
        assert complaints(speaker) == []
    assert asked.refused() == set()
    for resource in STATUSES.values():
        listed = server.request("GET", f"{resource.path}?limit=1", user=SPEAKER)
        version = listed.body["metadata"]["resourceVersion"]
        query = f"watch=1&timeoutSeconds=1&resourceVersion={version}"
        server.request("GET", f"{resource.path}?{query}", user=SPEAKER)
    for write in WRITES[SPEAKER]:
        kind = write.content_type.removeprefix("application/")
        server.request(write.method, write.path, write.body, kind, user=SPEAKER)
    assert asked.refused() == set()
    poll(lambda: not asked.unused(), "all rights used")


def used_by_nobody(asked: Asked, watched: tuple[Resource, ...]) -> set[Right]:
    """Rights to read what is `watched` that were not used."""
    places = {f"{one.group}/{one.plural}" for one in watched}
    return {
        one for one in asked.unused() if one.resource in places and one.verb in {"list", "watch"}
    }


@pytest.mark.parametrize("right", WRITE_RIGHTS, ids=lambda one: f"{one.verb}-{one.resource}")
def test_each_right_of_the_controller_to_write_is_needed(
    server: ApiServer, cluster: Accounts, tmp_path: Path, right: Right
) -> None:
    """Without one right to write, this is what is refused, and nothing else."""
    with without(cluster, CONTROLLER, right):
        asked = Asked(server, CONTROLLER)
        with running(server, CONTROLLER, tmp_path) as controller:
            made(server, SERVICES, service("web"))
            poll(lambda: provoked(server, asked), f"refused to {right}")
            if right.resource != "coordination.k8s.io/leases":
                poll(lambda: complaints(controller), "complained of")
                assert {one["status"] for one in complaints(controller)} == {403}
        assert all(covers(right, one) for one in asked.refused())


def told(role: RoleProcess) -> set[tuple[str, str]]:
    """Problems that a speaker tells, by code and object."""
    problems = role.document("status").get("problems", ())
    return {(one["code"], one["object"]) for one in problems}


@pytest.mark.parametrize(("account", "resource"), SINGLE)
def test_a_right_to_read_that_is_missing_is_named(
    server: ApiServer, cluster: Accounts, tmp_path: Path, account: str, resource: str
) -> None:
    """Without the right to list and watch a resource, this one is said to be not watched."""
    rights = [it for it in granted(account) if it.resource == resource and reads(it)]
    keyed(server)
    # Without Secrets the key of layer 2 is missing as well.
    also = (
        {("missingSecret", "Secret metallb-system/memberlist")} if "secrets" in resource else set()
    )
    with without(cluster, account, *rights):
        asked = Asked(server, account)
        with running(server, account, tmp_path) as role:
            poll(lambda: complaints(role), "complained of")
            assert {one["resource"] for one in complaints(role)} == {plural(resource)}
            if account == SPEAKER:
                expected = {("notWatched", plural(resource)), *also}
                poll(lambda: told(role) == expected, f"{expected} told")
        assert {one.resource for one in asked.refused()} == {resource}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_right_to_read_is_needed(
    server: ApiServer, cluster: Accounts, tmp_path: Path, account: str
) -> None:
    """Without any right to read, every single resource is said to be not watched."""
    watched = {
        CONTROLLER: (*watched_by_controller(NAMESPACE), *WRITTEN_BY_NODES, LEASES),
        SPEAKER: watched_by_speaker(NAMESPACE),
    }[account]
    rights = [it for it in granted(account) if reads(it)]
    with without(cluster, account, *rights), running(server, account, tmp_path) as role:
        every = {str(one) for one in watched}
        poll(lambda: every <= {one.get("resource") for one in complaints(role)}, "all named")


def reads(right: Right) -> bool:
    """Tell whether it is one to list or to watch."""
    return right.verb in {"list", "watch"}


def plural(resource: str) -> str:
    """Return a resource as a `Resource` is written in problems."""
    group, _, name = resource.partition("/")
    return f"{name}.{group}" if group else name


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/namespaces/default/secrets"),
        ("GET", "/api/v1/namespaces/kube-system/configmaps"),
        ("GET", f"/api/v1/namespaces/{NAMESPACE}/pods"),
        ("PATCH", f"{SERVICES}/kubernetes"),
        ("DELETE", f"{SERVICES}/kubernetes"),
        ("PATCH", f"{POOLS}/four"),
        ("DELETE", f"{POOLS}/four"),
        ("PATCH", "/api/v1/nodes/n1"),
    ],
)
def test_what_nobody_may(server: ApiServer, account: str, method: str, path: str) -> None:
    """Neither role reads Secrets elsewhere, or changes Services, pools or nodes."""
    body = {"metadata": {"labels": {"a": "b"}}} if method == "PATCH" else None
    assert server.request(method, path, body, "merge-patch+json", user=account).status == 403


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", f"{SERVICES}/kubernetes/status"),
        ("PATCH", f"{POOLS}/four/status"),
        ("POST", "/api/v1/namespaces/default/events"),
        ("GET", f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"),
        ("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps"),
    ],
)
def test_what_a_speaker_may_not(server: ApiServer, method: str, path: str) -> None:
    """A speaker gives no addresses, and has no part in what the controller tells."""
    body = {"metadata": {"annotations": {"a": "b"}}} if method != "GET" else None
    kind = "merge-patch+json" if method == "PATCH" else "json"
    assert server.request(method, path, body, kind, user=SPEAKER).status == 403


@pytest.mark.parametrize("name", ["", *OVERLAYS])
def test_the_server_takes_the_manifests(server: ApiServer, name: str) -> None:
    """What kustomize makes of the base and of each overlay has no field that is not known."""
    directory = DIRECTORY / "overlays" / name if name else BASE
    command = ["kubectl", "--kubeconfig", str(server.kubeconfig), "apply", "-k", str(directory)]
    done = subprocess.run(
        [*command, "--dry-run=server", "--validate=strict"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "daemonset.apps/orchestrator-speaker created" in done.stdout
