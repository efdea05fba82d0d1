"""Roles as processes in a cluster, and the objects that their tests make."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.status_client import get
from orchestrator.kube.member_key import member_key_write
from tests.apiserver.cluster import Cluster
from tests.apiserver.conftest import NAMESPACE

LIMIT_S = 60.0
METALLB = f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}"
OURS = f"/apis/orchestrator.io/v1alpha1/namespaces/{NAMESPACE}"
POOLS = f"{METALLB}/ipaddresspools"
ADVERTISEMENTS = f"{METALLB}/bgpadvertisements"
L2_ADVERTISEMENTS = f"{METALLB}/l2advertisements"
PEERS = f"/apis/metallb.io/v1beta2/namespaces/{NAMESPACE}/bgppeers"
SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
SETTINGS = f"{OURS}/settings"
STATES = f"{METALLB}/configurationstates"
SPEAKER_STATES = f"{OURS}/speakerstates"
L2_STATUSES = f"{METALLB}/servicel2statuses"
BGP_STATUSES = f"{METALLB}/servicebgpstatuses"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


def poll(what: Callable[[], Any], words: str, limit_s: float = LIMIT_S) -> Any:
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + limit_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"never {words}"
        time.sleep(0.05)
    return found


class RoleProcess:
    """A role as a process; its log is shown when it does not end well.

    `under` is a command that starts it. Two of one directory, one after the other, have one log.
    """

    def __init__(
        self,
        server: Cluster,
        role: str,
        directory: Path,
        flags: Sequence[str] = (),
        under: Sequence[str] = (),
    ) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.log = directory / f"{role}.log"
        argv = [*under, sys.executable, "-m", "orchestrator", role, "--http", "off", *flags]
        argv += ["--kubeconfig", str(server.kubeconfig)]
        argv += ["--runtime-dir", str(directory / "r"), "--state-dir", str(directory / "s")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ)

    def document(self, name: str) -> Mapping[str, Any]:
        """What it says; nothing while it does not answer."""
        try:
            found: Mapping[str, Any] = get(self._directory / "r/status.sock", f"/api/v1/{name}")
        except AdapterError:
            return {}
        return found

    def kill(self) -> None:
        """Kill it at once."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in an orderly way, also one that is paused; nothing when it has ended."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        status = self.process.wait(LIMIT_S)
        # TERM ends one that has only just begun.
        assert status in (0, -signal.SIGKILL, -signal.SIGTERM), self.log.read_text("utf-8")


def made(server: Cluster, path: str, document: dict[str, Any]) -> None:
    """Make an object."""
    answer = server.request("POST", path, document)
    assert answer.status == 201, answer.message


def keyed(server: Cluster) -> None:
    """Make the key of layer 2's members, as a controller does."""
    write = member_key_write(NAMESPACE, b"a key for tests")
    made(server, SECRETS, dict(write.body or {}))


def pool(name: str, addresses: str) -> dict[str, Any]:
    """An IPAddressPool."""
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"addresses": [addresses]},
    }


def service(name: str, **spec: Any) -> dict[str, Any]:
    """A Service that wants an address."""
    wanted = {
        "type": "LoadBalancer",
        "allocateLoadBalancerNodePorts": False,
        "ports": [{"port": 80}],
    }
    return {"metadata": {"name": name}, "spec": {**wanted, **spec}}


def endpoint(name: str) -> dict[str, Any]:
    """An EndpointSlice of a Service with one endpoint on n1."""
    return {
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.0.1"], "nodeName": "n1", "conditions": {"ready": True}}],
        "ports": [],
    }


def give(server: Cluster, name: str, address: str) -> None:
    """Write an address into a Service's status, as the controller does."""
    body = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
    answer = server.request("PATCH", f"{SERVICES}/{name}/status", body, kind="merge-patch+json")
    assert answer.status == 200, answer.message


def addresses(server: Cluster) -> dict[str, list[str]]:
    """Addresses in the status of each Service of type LoadBalancer."""
    items = server.request("GET", SERVICES).body["items"]
    return {
        item["metadata"]["name"]: [
            one["ip"] for one in item["status"]["loadBalancer"].get("ingress", [])
        ]
        for item in items
        if item["spec"]["type"] == "LoadBalancer"
    }


def status_of(server: Cluster, path: str) -> dict[str, Any]:
    """Return an object's status; nothing while it is not there."""
    answer = server.request("GET", path)
    found: dict[str, Any] = answer.body.get("status", {}) if answer.status == 200 else {}
    return found


def sweep(server: Cluster) -> None:
    """Delete whatever tests of processes, and the processes, made."""
    events = "/api/v1/namespaces/default/events"
    asked = (POOLS, ADVERTISEMENTS, L2_ADVERTISEMENTS, PEERS, SETTINGS)
    told = (STATES, SPEAKER_STATES, L2_STATUSES, BGP_STATUSES)
    for path in (SERVICES, SLICES, events, *asked, *told, LEASES, SECRETS, "/api/v1/nodes"):
        for item in server.request("GET", path).body["items"]:
            name = item["metadata"]["name"]
            if (path, name) != (SERVICES, "kubernetes"):
                server.request("DELETE", f"{path}/{name}")
