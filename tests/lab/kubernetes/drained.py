"""A drain under a client that opens a connection each 5 ms and keeps others open: what it saw."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass

from orchestrator.lab.connecting import Connecting, Seen
from orchestrator.lab.kube_topology import CLIENT, LAN, NODES
from tests.lab.harness import poll, steady
from tests.lab.kubernetes.resilient import ResilientRoute
from tests.lab.kubernetes.scene import EDGE, LAN_POOL, Scene

DRAINED = "n3"
HELD = 60
"""Connections that are kept, each with a question every 100 ms."""
WITHDRAWN_S = 60.0
AFTERWARDS_S = 1.0
"""How long the client goes on after traffic has left the node."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What the client saw; `changed` is a moment after the change of way, `pod` that of the drained node."""

    seen: Seen
    changed: float
    pod: str

    @property
    def through_it(self) -> tuple[int, int]:
        """Of the kept connections through the drained node: how many broke, and how many there were."""
        return self.seen.broken_of(self.pod), self.seen.held.get(self.pod, 0)

    @property
    def through_others(self) -> tuple[int, int]:
        """Of the kept connections through other nodes: how many broke, and how many there were."""
        broken, held = self.through_it
        return len(self.seen.broken) - broken, sum(self.seen.held.values()) - held


def drain(scene: Scene, node: str) -> None:
    """Drain a node by command, from outside of the cluster."""
    argv = [sys.executable, "-m", "orchestrator", "drain", node]
    argv += ["--kubeconfig", str(scene.cluster.server.kubeconfig)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def client(scene: Scene, name: str, address: str) -> Connecting:
    """Start a client with kept connections."""
    log = scene.cluster.workdir / f"{name}-connections.log"
    return Connecting(scene.cluster.node(name), address, log, held=HELD)


def routed(scene: Scene, number: int = 1, *, resilient: bool, to_the_end: bool) -> Drained:
    """Drain a node that is one of three next hops; `to_the_end` until its route is withdrawn.

    `number` is the last part of the address: the nodes go on knowing connections to one that was used.
    """
    wanted = f"{EDGE}{number}"
    (address,) = scene.web(pods=tuple(NODES), externalTrafficPolicy="Local", loadBalancerIP=wanted)
    scene.routed(address, *NODES)
    scene.answered(address, *scene.pods_of())
    left = {hop for node, hop in NODES.items() if node != DRAINED}
    with ResilientRoute(scene.cluster, address) if resilient else nullcontext() as route:
        asking = client(scene, CLIENT, address)
        drain(scene, DRAINED)
        hops = route.follow if route else lambda: scene.cluster.next_hops(address)
        poll(lambda: hops() == left, 30, f"{DRAINED} to be left out")
        changed = time.monotonic()
        if to_the_end:
            poll(lambda: _paths(scene, address) == len(left), WITHDRAWN_S, "the route withdrawn")
        steady(lambda: hops() == left, AFTERWARDS_S, f"{DRAINED} to stay out")
        return Drained(asking.stop(), changed, _pod_on(scene, DRAINED))


def on_segment(scene: Scene, number: int = 1) -> Drained:
    """Drain the node that answers for an address on layer 2, the one with that number of the pool."""
    wanted = f"{LAN_POOL}{number:02}"
    address = scene.lan_web(pods=tuple(NODES), externalTrafficPolicy="Local", loadBalancerIP=wanted)
    poll(lambda: scene.cluster.ask(LAN, address) in scene.pods_of(), 60, "an answer")
    asking = client(scene, LAN, address)
    first = scene.owner(address)
    drain(scene, first)
    poll(lambda: scene.owner(address) not in ("", first), 30, "another owner")
    changed = time.monotonic()
    steady(lambda: scene.owner(address) != first, AFTERWARDS_S, f"{first} to stay out")
    return Drained(asking.stop(), changed, _pod_on(scene, first))


def _paths(scene: Scene, address: str) -> int:
    """How many paths the router's bgpd has to an address, used or not."""
    found = scene.cluster.router.json(f"show bgp ipv4 unicast {address}/32")
    return len(found.get("paths", ()))


def _pod_on(scene: Scene, node: str) -> str:
    return next(pod.name for pod in scene.cluster.pods.of("web") if pod.node == node)
