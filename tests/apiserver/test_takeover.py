"""A cluster that MetalLB ran is taken over: no address moves, no annotation is lost, the same nodes answer."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.cluster import Cluster
from tests.apiserver.processes import (
    L2_STATUSES,
    POOLS,
    SERVICES,
    STATES,
    RoleProcess,
    addresses,
    give,
    made,
    poll,
    service,
    status_of,
    sweep,
)

STATE = Path(__file__).parent / "metallb_state"
VERSIONS = ("v0.14", "v0.15", "v0.16")
NODES = ("node-a", "node-b", "node-c")
OF_THE_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "generateName")
EVENTS = "/api/v1/namespaces/default/events"
_IN_ES = {"EndpointSlice": "endpointslices", "ServiceL2Status": "servicel2statuses"}
_PLURALS = {**_IN_ES, "ServiceBGPStatus": "servicebgpstatuses"}


def exported(name: str) -> list[dict[str, Any]]:
    """Objects of a file of the state."""
    return list(yaml.safe_load_all((STATE / f"{name}.yaml").read_text("utf-8")))


def place(document: dict[str, Any]) -> str:
    """Where objects of a document's kind are."""
    version, kind = document["apiVersion"], document["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = document["metadata"].get("namespace")
    home = f"/namespaces/{namespace}" if namespace else ""
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    return f"{root}{home}/{plural}"


def restore(server: Cluster, document: dict[str, Any]) -> None:
    """Make an object as it was, with its status, as who restores a backup does."""
    body = copy.deepcopy(document)
    status = body.pop("status", None)
    for key in OF_THE_SERVER:
        body["metadata"].pop(key, None)
    made(server, place(document), body)
    if status is not None:
        path = f"{place(document)}/{body['metadata']['name']}/status"
        answer = server.request("PATCH", path, {"status": status}, kind="merge-patch+json")
        assert answer.status == 200, answer.message


@pytest.fixture
def server(real_server: ApiServer) -> Iterator[Cluster]:
    """A real cluster with MetalLB's configuration, and nothing of it left afterwards."""
    try:
        for name in ("cluster", "configuration"):
            for document in exported(name):
                restore(real_server, document)
        yield real_server
    finally:
        body = {"metadata": {"finalizers": None}}
        real_server.request("PATCH", f"{SERVICES}/kept", body, kind="merge-patch+json")
        sweep(real_server)


@contextmanager
def ours(server: Cluster, directory: Path) -> Iterator[dict[str, RoleProcess]]:
    """Run a controller and three speakers in the place of MetalLB's, until all of them are at work."""
    with ExitStack() as stack:
        controller = RoleProcess(server, "controller", directory / "c", ("--node", "c"))
        stack.callback(controller.stop)
        speakers = {}
        for node in NODES:
            one = RoleProcess(server, "speaker", directory / node, ("--node", node))
            speakers[node] = one
            stack.callback(one.stop)
        poll(lambda: controller.document("status").get("leading"), "leading")
        poll(lambda: all(map(synced, speakers.values())), "synced")
        yield speakers


def synced(one: RoleProcess) -> bool:
    """Tell whether a speaker knows all there is."""
    return bool(one.document("status").get("synced"))


def services(server: Cluster) -> dict[str, dict[str, Any]]:
    """All load balancers by name."""
    items = server.request("GET", SERVICES).body["items"]
    return {one["metadata"]["name"]: one for one in items if one["spec"]["type"] == "LoadBalancer"}


def owners(plan: Any) -> dict[str, str | None]:
    """Who answers for each address on layer 2, by a plan."""
    return {row["address"]: row["owner"] for row in plan.get("layer2", ())}


def elected(address: str, candidates: tuple[str, ...] = NODES) -> str:
    """MetalLB's choice: the least digest of node and address (metallb.md 4.1)."""
    return min(candidates, key=lambda node: hashlib.sha256(f"{node}#{address}".encode()).digest())


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_moves(server: Cluster, tmp_path: Path, version: str) -> None:
    """Addresses, annotations, labels, finalizers and specs stay; a new Service gets what is free."""
    for document in exported(version):
        restore(server, document)
    before = services(server)
    with ours(server, tmp_path) as speakers:
        made(server, SERVICES, service("new"))
        poll(lambda: addresses(server).get("new"), "gave a new one its address")
        mark = "metallb.io/ip-allocated-from-pool"
        poll(lambda: mark in _annotations(services(server)["unmarked"]), "marked what was not")
        poll(lambda: _told(server), "told of all")
        after = services(server)
        plans = poll(lambda: _plans(speakers), "planned by all")
    assert addresses(server)["new"] == ["10.0.0.8"]
    del after["new"]
    # What has its pool's name by either of MetalLB's names is not even written.
    assert after.pop("unmarked")["status"] == before["unmarked"]["status"]
    del before["unmarked"]
    assert after == before
    reasons = {
        item["reason"]
        for item in server.request("GET", EVENTS).body["items"]
        if item["involvedObject"]["name"] in before
    }
    assert not reasons & {"IPAllocated", "ClearAssignment", "AllocationFailed"}
    for plan in plans:
        assert owners(plan) == _metallbs_owners(version)


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = document["metadata"].get("annotations", {})
    return found


def _plans(speakers: dict[str, RoleProcess]) -> list[Any]:
    """Plans of all speakers, once each knows the new Service."""
    plans = [one.document("plan") for one in speakers.values()]
    return plans if all("10.0.0.8" in owners(plan) for plan in plans) else []


def _told(server: Cluster) -> bool:
    """Tell whether the views of all, and the pool's counts, are those of ours."""
    names = ("controller", *(f"speaker-{node}" for node in NODES))
    views = [status_of(server, f"{STATES}/{name}").get("result") for name in names]
    left = server.request("GET", L2_STATUSES).body["items"]
    pool = status_of(server, f"{POOLS}/lan")
    return views == ["Valid"] * 4 and not left and pool["assignedIPv4"] == 9


def _metallbs_owners(version: str) -> dict[str, str | None]:
    """Who answered under MetalLB, by the objects that it wrote; nobody for what has no endpoint."""
    held = {
        document["metadata"]["name"]: [
            one["ip"] for one in document["status"]["loadBalancer"]["ingress"]
        ]
        for document in exported(version)
        if document["kind"] == "Service"
    }
    told = [one["status"] for one in exported(version) if one["kind"] == "ServiceL2Status"]
    found: dict[str, str | None] = {
        address: status["node"] for status in told for address in held[status["serviceName"]]
    }
    for status in told:
        first = held[status["serviceName"]][0]
        candidates = ("node-a", "node-c") if status["serviceName"] == "local" else NODES
        assert status["node"] == elected(first, candidates)
    return {**found, "10.0.0.8": None}


def test_what_no_pool_gives_is_given_anew(server: Cluster, tmp_path: Path) -> None:
    """An address outside all pools is given up as by MetalLB, with an Event; its neighbours stay."""
    for name, address in (("outside", "198.51.100.77"), ("inside", "10.0.0.9")):
        made(server, SERVICES, service(name))
        give(server, name, address)
    with ours(server, tmp_path):
        poll(lambda: addresses(server)["outside"] == ["10.0.0.1"], "gave another one")
        poll(lambda: "ClearAssignment" in _reasons(server, "outside"), "told of it")
        assert addresses(server)["inside"] == ["10.0.0.9"]


def test_a_faulty_pool_takes_nothing(server: Cluster, tmp_path: Path) -> None:
    """While a pool cannot be used for an error of its own, what Services hold of it is theirs."""
    server.request("DELETE", f"{POOLS}/core")
    wrong = {"addresses": ["10.0.1.0/28", "10.0.0.4-10.0.0.5"]}
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool"}
    made(server, POOLS, {**kind, "metadata": {"name": "core"}, "spec": wrong})
    made(server, SERVICES, service("routed"))
    give(server, "routed", "10.0.1.9")
    with ours(server, tmp_path):
        made(server, SERVICES, service("new"))
        poll(lambda: addresses(server)["new"], "gave a new one its address")
        assert addresses(server)["routed"] == ["10.0.1.9"]


def _reasons(server: Cluster, name: str) -> list[str]:
    items = server.request("GET", EVENTS).body["items"]
    return [item["reason"] for item in items if item["involvedObject"]["name"] == name]
