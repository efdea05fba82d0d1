"""Pods of the Kubernetes lab: HTTP servers on its nodes, and the EndpointSlices that tell of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import pod_address
from orchestrator.lab.node import Node, end_group
from orchestrator.lab.requests import FAILED
from orchestrator.lab.runner import LabError

_START_LIMIT_S = 20.0
FAMILIES = {"IPv4": False, "IPv6": True}
"""Address types of EndpointSlices -> whether it is IPv6."""


@dataclass
class Pod:
    """One server of a Service; it answers every request with its name."""

    name: str
    service: str
    namespace: str
    node: str
    addresses: Mapping[str, str]
    """By the address type of EndpointSlices."""
    processes: tuple[subprocess.Popen[str], ...]
    ready: bool = True


class Pods:
    """All pods of a lab; stands for kubelets and the EndpointSlice controller.

    `apply` makes or replaces an object at the API server.
    """

    def __init__(
        self, nodes: Mapping[str, Node], apply: Callable[[objects.Object], object]
    ) -> None:
        self._nodes = nodes
        self._apply = apply
        self._pods: list[Pod] = []
        self._made = 0

    def start(self, service: str, node: str, namespace: str = "default") -> Pod:
        """Start a pod of a Service on a node; it is an endpoint once it answers."""
        self._made += 1
        name = f"{service}-{self._made}"
        addresses = {
            family: pod_address(node, self._made, six=six) for family, six in FAMILIES.items()
        }
        for address in addresses.values():
            self._nodes[node].run(["ip", "addr", "add", address, "dev", "lo"])
        servers = tuple(self._serve(name, node, address) for address in addresses.values())
        self._await(node, [f"{address}:{objects.POD_PORT}" for address in addresses.values()])
        pod = Pod(name, service, namespace, node, addresses, servers)
        self._pods.append(pod)
        self._write(service, namespace)
        return pod

    def _serve(self, name: str, node: str, address: str) -> subprocess.Popen[str]:
        inside = self._nodes[node]
        argv = [sys.executable, "-m", "orchestrator.lab.web", name, address, str(objects.POD_PORT)]
        return inside.spawn(argv, log=inside.logs / f"{node}-pod-{name}.log")

    def _await(self, node: str, places: list[str]) -> None:
        ask = [sys.executable, "-m", "orchestrator.lab.requests", str(len(places)), *places]
        deadline = time.monotonic() + _START_LIMIT_S
        while FAILED in json.loads(self._nodes[node].run(ask, timeout_s=60).stdout):
            if time.monotonic() > deadline:
                raise LabError(f"no pod answers at {', '.join(places)} of {node}")

    def set_ready(self, pod: Pod, ready: bool) -> None:
        """Let a pod's endpoint be ready, or not."""
        pod.ready = ready
        self._write(pod.service, pod.namespace)

    def stop(self, pod: Pod) -> None:
        """Take a pod out of the endpoints and end it."""
        self._pods.remove(pod)
        self._write(pod.service, pod.namespace)
        _end(pod)

    def stop_all(self) -> None:
        """End all pods without a word to the API server."""
        for pod in self._pods:
            _end(pod)
        self._pods.clear()

    def of(self, service: str, namespace: str = "default") -> list[Pod]:
        """Return the pods of a Service, the oldest first."""
        return [one for one in self._pods if (one.service, one.namespace) == (service, namespace)]

    def _write(self, service: str, namespace: str) -> None:
        for family in FAMILIES:
            endpoints = list(_endpoints(self.of(service, namespace), family))
            self._apply(objects.endpoint_slice(service, family, endpoints, namespace))


def _end(pod: Pod) -> None:
    for process in pod.processes:
        end_group(process)
        process.wait()


def _endpoints(pods: list[Pod], family: str) -> Iterator[objects.Object]:
    for pod in pods:
        yield objects.endpoint(pod.addresses[family], pod.node, ready=pod.ready)
