"""`orchestrator demo --kubernetes`: a Service in a real cluster, from its making to the death of a node."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.connecting import Connecting, Seen
from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import CLIENT, LAN, NODES, ROUTER_AS, SEGMENT
from orchestrator.lab.requests import FAILED
from orchestrator.lab.scene import DemoError
from orchestrator.lab.telling import Telling

HOLD_S = 3
"""Hold time of the sessions: so long may the router send to a node that is dead."""
ROUTED_LIMIT_S = HOLD_S + 3.0
FLAT_LIMIT_S = 1.0
"""The demo fails when connections failed for longer than these after a node's death."""
TIMEOUT_MS = 500.0
"""A new connection without an answer for that long counts as failed."""
SEEN_AFTER_S = 1.5
"""How long clients go on after all is well again, to see that it lasts."""
REQUESTS = 30
ROUTED, FLAT = "web", "shop"
PODS = tuple(NODES)


class KubernetesDemo(Telling):
    """One run of the story; `say` takes lines for people. Everything ends with `close`."""

    def __init__(self, workdir: Path, say: Callable[[str], None]) -> None:
        super().__init__(say)
        self._workdir = workdir
        self._cluster = Cluster(workdir, lambda line: say(f"  {line}"))

    def run(self) -> None:
        """Tell the whole story. DemoError when something is not as it should be."""
        self._set_up()
        routed = self._route()
        flat = self._flat()
        dead = self._kill(routed, flat)
        self._drain(dead, routed, flat)
        self._delete(routed)
        self._step(
            "All of it was so: addresses, routes and answers came by themselves, a dead node was"
            " left out in time, and a drain cost no connection"
        )

    def close(self) -> None:
        """End everything; nothing is left."""
        self._cluster.close()

    def _set_up(self) -> None:
        self._step(
            "Setting up a Kubernetes cluster: a real API server, three nodes with kube-proxy and"
            " orchestrator, R1 (FRR) and two clients, in network namespaces"
        )
        self._cluster.up()
        self._cluster.start()
        for one in _configuration():
            self._cluster.apply(one)
            self._say(f"  applied {one['kind']} {one['metadata']['name']}")
        self._say(f"  waiting for the sessions of the nodes with R1 (AS {ROUTER_AS})")
        wanted = frozenset(NODES.values())
        self._cluster.wait(
            "three Established sessions", lambda: wanted <= self._cluster.router.established()
        )
        self._show(self._cluster.router.vtysh("show bgp ipv4 unicast summary"))

    def _make(self, name: str, pool: str) -> str:
        """Make a Service with a pod on each node; return its address, and say how long it took."""
        for node in PODS:
            self._cluster.pods.start(name, node)
        annotations = {"metallb.io/address-pool": pool}
        wanted = objects.service(name, annotations=annotations, externalTrafficPolicy="Local")
        moment = time.monotonic()
        self._cluster.apply(wanted)
        address = self._cluster.wait("an address", lambda: self._cluster.ingress(name))[0]
        took_ms = (time.monotonic() - moment) * 1000
        self._say(f"  after {took_ms:.0f} ms its status says {address}, of the pool {pool}")
        return str(address)

    def _route(self) -> str:
        self._step(f"Creating Service {ROUTED}, type LoadBalancer, with a pod on each node")
        address = self._make(ROUTED, "routed")
        self._wait_hops(address, NODES)
        self._say("  and R1 has learned the way from each of the nodes:")
        self._show(_routes(self._cluster.router.vtysh("show ip route bgp")))
        self._answered(CLIENT, address, "of a client behind R1", len(PODS))
        return address

    def _flat(self) -> str:
        self._step(f"Creating Service {FLAT}, with an address of the nodes' own segment (layer 2)")
        address = self._make(FLAT, "flat")
        self._answered(LAN, address, "of a client on the segment", 1)
        self._say(f"  the nodes have agreed on {self._owner()} to answer for {address}")
        return address

    def _owner(self) -> str:
        """Return the node that answers for the layer-2 Service: with Local its own pod does."""
        answering = self._cluster.ask(LAN, self._cluster.ingress(FLAT)[0])
        pods = {pod.name: pod.node for pod in self._cluster.pods.of(FLAT)}
        return pods[answering]

    def _answered(self, client: str, address: str, whose: str, pods: int) -> None:
        """Send requests; DemoError unless that many pods answer and no request fails."""
        ask = self._cluster.ask_often
        self._cluster.wait("an answer", lambda: FAILED not in ask(client, address, len(PODS)))
        answers = ask(client, address, REQUESTS)
        self._say(f"  {REQUESTS} requests {whose} to http://{address}/:")
        for name, number in answers.items():
            self._say(f"    pod {name:8} answered {number:3}")
        if FAILED in answers or len(answers) != pods:
            raise DemoError(f"expected answers of {pods} pods and no failures, but got {answers}")

    def _wait_hops(self, address: str, nodes: Iterable[str]) -> None:
        hops = {NODES[node] for node in nodes}
        what = f"a route to {address} through {', '.join(sorted(hops)) or 'nobody'}"
        self._cluster.wait(what, lambda: self._cluster.next_hops(address) == hops)

    def _clients(self, routed: str, flat: str) -> dict[str, Connecting]:
        places = {CLIENT: routed, LAN: flat}
        return {
            name: Connecting(
                self._cluster.node(name),
                address,
                self._workdir / f"{name}-connections.log",
                timeout_ms=TIMEOUT_MS,
            )
            for name, address in places.items()
        }

    def _kill(self, routed: str, flat: str) -> str:
        owner = self._owner()
        self._step(
            f"Killing {owner}, as if its power was cut; both clients open a new connection each 5 ms"
        )
        clients = self._clients(routed, flat)
        moment = time.monotonic()
        self._cluster.power_off(owner)
        self._wait_hops(routed, set(NODES) - {owner})
        time.sleep(SEEN_AFTER_S)
        seen = {name: client.stop() for name, client in clients.items()}
        self._judge_failures("layer 2", seen[LAN], moment, FLAT_LIMIT_S)
        self._say(f"    {self._owner()} answers for {flat} now")
        self._judge_failures("BGP", seen[CLIENT], moment, ROUTED_LIMIT_S)
        self._say(
            f"    R1 went on sending to {owner} until the hold time of {HOLD_S} s had run out; now"
            " it has:"
        )
        self._show(_routes(self._cluster.router.vtysh("show ip route bgp")))
        return owner

    def _judge_failures(self, what: str, seen: Seen, moment: float, limit_s: float) -> None:
        failing_s = seen.failing_s(moment)
        self._say(
            f"  {what}: {len(seen.failed) + len(seen.cut)} of {seen.sent} connections failed; the last of them began"
            f" {failing_s * 1000:.0f} ms after the death"
        )
        if failing_s > limit_s:
            raise DemoError(
                f"expected connections over {what} to fail for {limit_s:.0f} s at most after a"
                f" death, but they did for {failing_s:.1f} s"
            )

    def _drain(self, dead: str, routed: str, flat: str) -> None:
        node = self._owner()
        left = next(one for one in NODES if one not in (node, dead))
        self._step(
            f"Draining {node} (orchestrator drain {node}) while the clients go on: new connections"
            " go elsewhere"
        )
        clients = self._clients(routed, flat)
        argv = [sys.executable, "-m", "orchestrator", "drain", node]
        argv += ["--kubeconfig", str(self._cluster.server.kubeconfig)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise DemoError(f"orchestrator drain {node}: {done.stderr.strip()}")
        self._wait_hops(routed, {left})
        self._cluster.wait(f"{left} to answer for {flat}", lambda: self._owner() == left)
        time.sleep(SEEN_AFTER_S)
        for name, client in clients.items():
            self._judge_drain(name, client.stop())

    def _judge_drain(self, client: str, seen: Seen) -> None:
        self._say(
            f"  client {client}: {len(seen.failed)} of {seen.sent} new connections failed; they were"
            f" answered by {', '.join(sorted(seen.by))}"
        )
        if seen.cut:
            self._say(f"    {len(seen.cut)} were open at the change of way, and cut by it")
        if seen.failed:
            raise DemoError(f"expected no connection to fail in a drain, but: {seen.failed[0]}")

    def _delete(self, routed: str) -> None:
        self._step(f"Deleting Service {ROUTED}: its route is withdrawn")
        self._cluster.delete("Service", ROUTED)
        self._wait_hops(routed, ())
        self._say(f"  R1 has no route to {routed} any more")


def _configuration() -> list[objects.Object]:
    """Peers, a pool for each way, and who announces them."""
    return [
        *objects.peers(f"{HOLD_S}s"),
        objects.pool("routed", "203.0.113.0/24"),
        objects.bgp_advertisement("routed", "routed"),
        objects.pool("flat", "192.168.10.200-192.168.10.219"),
        objects.l2_advertisement("flat", "flat", interfaces=[SEGMENT]),
    ]


def _routes(table: str) -> str:
    """Return the lines with routes of `show ip route`, without its legend."""
    return "\n".join(line for line in table.splitlines() if " via " in line)
