"""A speaker on a real API server: what it knows, what it says, and what it does in an outage."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.status_client import get
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.conftest import NAMESPACE

LIMIT_S = 60.0
AFTER_ALL = ("peerDown", "noNextHop")
POOLS = f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}/ipaddresspools"
ADVERTISEMENTS = f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}/bgpadvertisements"
PEERS = f"/apis/metallb.io/v1beta2/namespaces/{NAMESPACE}/bgppeers"
SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def poll(what: Callable[[], Any], words: str) -> Any:
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := what()):
        assert time.monotonic() < deadline, f"never {words}"
        time.sleep(0.05)
    return found


class Speaker:
    """The process `orchestrator speaker` of node n1, without ExaBGP."""

    def __init__(self, server: ApiServer, directory: Path) -> None:
        self._directory = directory
        self.log = directory / "speaker.log"
        argv = [sys.executable, "-m", "orchestrator", "speaker", "--node", "n1", "--http", "off"]
        argv += ["--kubeconfig", str(server.kubeconfig)]
        argv += ["--runtime-dir", str(directory / "r"), "--state-dir", str(directory / "s")]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ)

    def document(self, name: str) -> Mapping[str, Any]:
        """What it says; nothing while it does not answer."""
        try:
            found: Mapping[str, Any] = get(self._directory / "r/status.sock", f"/api/v1/{name}")
        except AdapterError:
            return {}
        return found

    def reasons(self) -> dict[str, str]:
        """The reason of each address over BGP."""
        items = self.document("vips").get("items", ())
        return {item["address"]: item["reason"] for item in items}

    def stop(self) -> None:
        """End it in an orderly way."""
        self._process.terminate()
        assert self._process.wait(LIMIT_S) == 0, self.log.read_text("utf-8")


def made(server: ApiServer, path: str, document: dict[str, Any]) -> None:
    """Make an object."""
    answer = server.request("POST", path, document)
    assert answer.status == 201, answer.message


def pool(name: str, addresses: str) -> dict[str, Any]:
    """An IPAddressPool."""
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"addresses": [addresses]},
    }


def service(name: str) -> dict[str, Any]:
    """A Service that wants an address."""
    return {
        "metadata": {"name": name},
        "spec": {
            "type": "LoadBalancer",
            "allocateLoadBalancerNodePorts": False,
            "ports": [{"port": 80}],
        },
    }


def endpoint(name: str) -> dict[str, Any]:
    """An EndpointSlice of a Service with one endpoint on n1."""
    return {
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.0.1"], "nodeName": "n1", "conditions": {"ready": True}}],
        "ports": [],
    }


@pytest.fixture
def speaker(server: ApiServer, tmp_path: Path) -> Iterator[Speaker]:
    """A speaker in a cluster with a pool, an advertisement, a peer and a node."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("speaker-pool", "192.0.2.0/28"))
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    kind = {"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer"}
    spec = {"myASN": 64500, "peerASN": 64501, "peerAddress": "10.9.9.9"}
    made(server, PEERS, {**kind, "metadata": {"name": "router"}, "spec": spec})
    process = Speaker(server, tmp_path)
    try:
        yield process
    finally:
        process.stop()
        paths = (f"{POOLS}/speaker-pool", f"{ADVERTISEMENTS}/all", f"{PEERS}/router")
        for path in ("/api/v1/nodes/n1", *paths):
            server.request("DELETE", path)
        for path in (SERVICES, SLICES):
            for item in server.request("GET", path).body["items"]:
                name = item["metadata"]["name"]
                if name != "kubernetes":
                    server.request("DELETE", f"{path}/{name}")


def give(server: ApiServer, name: str, address: str) -> None:
    """Write an address into a Service's status, as the controller does."""
    body = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
    answer = server.request("PATCH", f"{SERVICES}/{name}/status", body, kind="merge-patch+json")
    assert answer.status == 200, answer.message


def test_a_service_from_nothing_to_announced(server: ApiServer, speaker: Speaker) -> None:
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


def test_what_is_known_outlives_the_api_server(server: ApiServer, speaker: Speaker) -> None:
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
