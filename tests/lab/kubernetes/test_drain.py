"""A node is drained under a client that opens a connection each 5 ms: what becomes of connections."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import nullcontext

import pytest

from orchestrator.lab.connecting import Connecting, Seen
from orchestrator.lab.kube_topology import CLIENT, LAN, NODES
from tests.lab.harness import poll, steady
from tests.lab.kubernetes.resilient import ResilientRoute
from tests.lab.kubernetes.scene import Scene
from tests.lab.kubernetes.test_layer2 import owner
from tests.lab.polling import IN_LONG

DRAINED = "n3"
HELD = 60
WITHDRAWN_S = 60.0
AFTERWARDS_S = 1.0


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


def paths(scene: Scene, address: str) -> int:
    """How many paths the router's bgpd has to an address, used or not."""
    found = scene.cluster.router.json(f"show bgp ipv4 unicast {address}/32")
    return len(found.get("paths", ()))


def pod_on(scene: Scene, node: str) -> str:
    """Name of the pod of `web` on a node."""
    return next(pod.name for pod in scene.cluster.pods.of("web") if pod.node == node)


def no_new_one_failed(seen: Seen, changed: float) -> None:
    """Every new connection was opened at once; only one open at the change of way may be cut."""
    assert seen.failed == []
    assert seen.again == 0
    assert [one for one in seen.cut if float(one["at"]) > changed] == []
    assert sum(seen.by.values()) == seen.sent - len(seen.cut) > 0


@pytest.mark.parametrize("resilient", [True, False], ids=["resilient", "plain"])
def test_routed_address(scene: Scene, resilient: bool) -> None:
    """No new connection fails; with resilient hashing none through another node breaks either.

    Those through the drained node break as soon as the router sends them elsewhere.
    """
    (address,) = scene.web(pods=tuple(NODES), externalTrafficPolicy="Local")
    scene.routed(address, *NODES)
    scene.answered(address, *scene.pods_of())
    left = {NODES[node] for node in NODES if node != DRAINED}
    with ResilientRoute(scene.cluster, address) if resilient else nullcontext() as route:
        asking = client(scene, CLIENT, address)
        drain(scene, DRAINED)
        hops = route.follow if route else lambda: scene.cluster.next_hops(address)
        poll(lambda: hops() == left, 30, f"{DRAINED} to be left out")
        changed = time.monotonic()
        if IN_LONG:
            poll(lambda: paths(scene, address) == len(left), WITHDRAWN_S, "the route withdrawn")
        steady(lambda: hops() == left, AFTERWARDS_S, f"{DRAINED} to stay out")
        seen = asking.stop()
    no_new_one_failed(seen, changed)
    gone = pod_on(scene, DRAINED)
    assert set(seen.held) == set(scene.pods_of())
    assert seen.broken_of(gone) == seen.held[gone]
    if resilient:
        assert len(seen.broken) == seen.broken_of(gone)


def test_address_of_the_segment(scene: Scene) -> None:
    """On layer 2 the owner hands over without a failed new connection; those through it break."""
    address = scene.lan_web(pods=tuple(NODES), externalTrafficPolicy="Local")
    poll(lambda: scene.cluster.ask(LAN, address) in scene.pods_of(), 60, "an answer")
    asking = client(scene, LAN, address)
    first = owner(scene, address)
    drain(scene, first)
    poll(lambda: owner(scene, address) not in ("", first), 30, "another owner")
    changed = time.monotonic()
    steady(lambda: owner(scene, address) != first, AFTERWARDS_S, f"{first} to stay out")
    seen = asking.stop()
    no_new_one_failed(seen, changed)
    assert len(seen.broken) == HELD
