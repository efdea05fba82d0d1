"""A Service from its making to its end on a real cluster, seen at the router and by a client."""

from __future__ import annotations

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import CONTROL, NODES
from tests.lab.harness import steady
from tests.lab.kubernetes.scene import EDGE, EDGE6, OTHER, Scene


def test_life_of_a_service(scene: Scene) -> None:
    """A Service gets an address, a route of every node and answers of its pod; deleted, all is gone."""
    (address,) = scene.web()
    assert address.startswith(EDGE)
    scene.routed(address, *NODES)
    scene.answered(address, *scene.pods_of())
    scene.cluster.delete("Service", "web")
    scene.routed(address)
    scene.unanswered(address)


def test_endpoints_come_and_go(scene: Scene) -> None:
    """Requests follow the pods; without a ready one there is no route, with one it is back."""
    (address,) = scene.web(pods=("n1", "n2"))
    scene.answered(address, *scene.pods_of())
    third = scene.cluster.pods.start("web", "n3")
    scene.answered(address, *scene.pods_of())
    for pod in scene.cluster.pods.of("web")[:2]:
        scene.cluster.pods.stop(pod)
    scene.answered(address, third.name)
    scene.cluster.pods.set_ready(third, False)
    scene.routed(address)
    scene.cluster.pods.set_ready(third, True)
    scene.routed(address, *NODES)
    scene.answered(address, third.name)


def test_local_policy_routes_to_nodes_with_a_pod(scene: Scene) -> None:
    """With externalTrafficPolicy Local only nodes with a pod announce, and the route moves with it."""
    (address,) = scene.web(pods=("n1",), externalTrafficPolicy="Local")
    (first,) = scene.cluster.pods.of("web")
    scene.routed(address, "n1")
    scene.answered(address, first.name)
    moved = scene.cluster.pods.start("web", "n3")
    scene.routed(address, "n1", "n3")
    scene.cluster.pods.stop(first)
    scene.routed(address, "n3")
    scene.answered(address, moved.name)


def test_another_pool(scene: Scene) -> None:
    """A Service whose pool is changed has the other pool's address and route, and not its former ones."""
    (before,) = scene.web()
    scene.routed(before, *NODES)
    chosen = {"metadata": {"annotations": {"metallb.io/address-pool": "other"}}}
    scene.cluster.patch("Service", "web", chosen)
    scene.routed(before)
    (after,) = scene.addresses()
    assert after.startswith(OTHER)
    scene.routed(after, *NODES)
    scene.answered(after, *scene.pods_of())


def test_dual_stack(scene: Scene) -> None:
    """A Service of two families is announced and answered over both."""
    found = scene.web(ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"])
    assert [address[:4] for address in found] == [EDGE[:4], EDGE6[:4]]
    for address in found:
        scene.routed(address, *NODES)
        scene.answered(address, *scene.pods_of())


def test_shared_address(scene: Scene) -> None:
    """Two Services with one key share an address by port; the route stays until both are gone."""
    shared = {"metallb.io/allow-shared-ip": "key"}
    first = scene.web("one", annotations=shared, port=80)
    second = scene.web("two", annotations=shared, port=81, loadBalancerIP=first[0])
    assert first == second
    (address,) = first
    scene.answered(address, *scene.pods_of("one"), port=80)
    scene.answered(address, *scene.pods_of("two"), port=81)
    scene.cluster.delete("Service", "one")
    scene.unanswered(address, port=80)
    scene.answered(address, *scene.pods_of("two"), port=81)
    scene.routed(address, *NODES)
    scene.cluster.delete("Service", "two")
    scene.routed(address)


def test_class_of_another(scene: Scene) -> None:
    """A Service with another's loadBalancerClass gets nothing while one of ours beside it is served."""
    scene.cluster.apply(objects.service("theirs", loadBalancerClass="example.org/theirs"))
    scene.cluster.pods.start("theirs", "n1")
    (address,) = scene.web("ours")
    scene.routed(address, *NODES)
    steady(lambda: not scene.cluster.ingress("theirs"), 1, "no address for another's Service")
    assert scene.routes() == [f"{address}/32"]


def test_class_of_ours(scene: Scene) -> None:
    """With --lb-class just the Services of that class have addresses and routes."""
    chosen = ("--lb-class", "example.org/ours")
    roles = [(CONTROL, "controller"), *((node, "speaker") for node in NODES)]
    try:
        for role in roles:
            scene.cluster.stop_role(*role)
            scene.cluster.start_role(*role, *chosen)
        scene.cluster.apply(objects.service("plain"))
        scene.cluster.pods.start("plain", "n1")
        (address,) = scene.web("ours", loadBalancerClass="example.org/ours")
        scene.routed(address, *NODES)
        scene.answered(address, *scene.pods_of("ours"))
        assert scene.cluster.ingress("plain") == []
        assert scene.routes() == [f"{address}/32"]
    finally:
        for role in roles:
            scene.cluster.stop_role(*role)
            scene.cluster.start_role(*role)
    scene.routed(scene.addresses("plain")[0], *NODES)


def test_pool_of_namespaces(scene: Scene) -> None:
    """A pool kept for a namespace serves that one before others, and no other namespace."""
    for namespace in ("shop", "kitchen"):
        scene.cluster.apply({"kind": "Namespace", "metadata": {"name": namespace}})
    allocation = {"priority": 1, "namespaces": ["shop"]}
    kept = objects.pool("kept", "198.51.100.128/25", serviceAllocation=allocation)
    scene.cluster.delete("IPAddressPool", "other")
    scene.cluster.apply(kept)
    scene.cluster.apply(objects.bgp_advertisement("kept", "kept"))
    (inside,) = scene.web("web", namespace="shop")
    assert inside.startswith(OTHER)
    (outside,) = scene.web("web", namespace="kitchen")
    assert outside.startswith(EDGE)
    for address in (inside, outside):
        scene.routed(address, *NODES)
    scene.answered(inside, *scene.pods_of("web", "shop"))
