"""A cluster for benches: real API server, controller, three speakers with ExaBGP, FRR; no kube-proxy."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import CONTROL, NODES, ROUTER
from tests.bench.kube_client import Door, Requests, Watched, at_once
from tests.bench.processes import cpu_s, resident_mib, tree
from tests.bench.router import Arrivals

POOL = ("203.0.113.0/24", "10.64.0.0/16")
VERBS = "apiserver_request_total{"


class Quiet(Cluster):
    """The lab without kube-proxy, whose work with thousands of Services is not what is measured."""

    def _start_proxy(self, node: str, kubeconfig: Path) -> None:
        del node, kubeconfig


class Place:
    """The cluster with a pool, an advertisement and a peer, all sessions up."""

    def __init__(self, workdir: Path) -> None:
        self._stack = ExitStack()
        self.cluster = Quiet(workdir)
        self._log = workdir

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.cluster)
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        cluster = self.cluster
        cluster.start(controller=("--http", "off"))
        for one in (
            objects.peers()[0],
            objects.pool("edge", *POOL),
            objects.bgp_advertisement("all"),
        ):
            cluster.apply(one)
        cluster.router.vtysh("configure terminal\nlog timestamp precision 6\ndebug bgp updates in")
        self.arrivals = Arrivals(cluster.node(ROUTER).logs / f"{ROUTER}-bgpd.log")
        ipv4 = set(NODES.values())
        cluster.wait("sessions", lambda: ipv4 <= cluster.router.established())
        door = Door.of(cluster.server)
        self.requests = Requests(door)
        self.watched = Watched(door)
        self.watched.start()
        self._stack.callback(self.watched.close)

    # Services

    def slices(self, names: list[str]) -> None:
        """Make the EndpointSlices of Services that are to come, with one ready endpoint on n1."""
        ready = [objects.endpoint("10.244.1.1", "n1", ready=True)]
        at_once(lambda name: self.requests.make(objects.endpoint_slice(name, "IPv4", ready)), names)

    def services(self, names: list[str], threads: int = 8) -> None:
        """Make Services."""
        at_once(lambda name: self.requests.make(objects.service(name)), names, threads)

    def remove(self, names: list[str]) -> None:
        """Delete Services, and not their slices."""
        at_once(lambda name: self.requests.send("DELETE", objects.path("Service", name)), names)

    def addressed(self, count: int) -> None:
        """Wait until so many Services have addresses."""
        self.watched.wait(lambda: len(self.watched.addresses) == count)

    def routes(self) -> dict[str, int]:
        """Routes that the router has from each node."""
        found = self.cluster.router.json("show bgp ipv4 unicast summary").get("peers", {})
        return {name: found.get(NODES[name], {}).get("pfxRcd", 0) for name in NODES}

    def routed(self, count: int) -> None:
        """Wait until the router has so many from each node."""
        want = dict.fromkeys(NODES, count)
        self.cluster.wait(f"{count} routes from each node", lambda: self.routes() == want, 900)

    def settled(self, quiet_s: float = 5.0) -> None:
        """Wait until nobody writes any more, for a while."""
        last, since = self._written(), time.monotonic()
        while time.monotonic() - since < quiet_s:
            time.sleep(1)
            if (found := self._written()) != last:
                last, since = found, time.monotonic()

    # Costs

    def costs(self) -> dict[str, tuple[float, float]]:
        """CPU seconds and resident MiB of each role; of ExaBGP what all its processes take."""
        found: dict[str, tuple[float, float]] = {}
        for (node, role), process in self.cluster.roles.items():
            whole = [(cpu_s(pid), resident_mib(pid)[0]) for pid in tree(process.pid)]
            name = role if node == CONTROL else f"{role} {node}"
            found[name] = (sum(cpu for cpu, _ in whole), sum(memory for _, memory in whole))
        return found

    def asked(self) -> dict[str, int]:
        """Requests that the server answered so far, without watches: by verb, resource, subresource."""
        counts: defaultdict[str, int] = defaultdict(int)
        answer = self.requests.send("GET", "/metrics").decode()
        for line in answer.splitlines():
            if line.startswith(VERBS):
                labels, _, value = line.removeprefix(VERBS).rpartition("} ")
                known = dict(pair.split("=", 1) for pair in labels.split(",") if "=" in pair)
                words = [
                    known.get(key, "").strip('"') for key in ("verb", "resource", "subresource")
                ]
                if words[0] != "WATCH":
                    counts["/".join([" ".join(words[:2]), *([words[2]] if words[2] else [])])] += (
                        int(float(value))
                    )
        return dict(counts)

    def _written(self) -> int:
        kinds = ("POST", "PUT", "PATCH", "DELETE")
        return sum(
            count
            for name, count in self.asked().items()
            if name.startswith(kinds) and "leases" not in name
        )


def names(prefix: str, count: int) -> list[str]:
    """Names of so many Services."""
    return [f"{prefix}-{number}" for number in range(count)]


def since(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """Return what was counted in between."""
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return {name: count for name, count in sorted(grown.items()) if count}
