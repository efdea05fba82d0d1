"""An address of the nodes' own segment on a real cluster: one owner answers, and another takes over."""

from __future__ import annotations

from orchestrator.lab.kube_topology import LAN, NODES
from tests.lab.harness import poll
from tests.lab.kubernetes.scene import Scene


def reported(scene: Scene, service: str) -> list[str]:
    """Nodes of the ServiceL2Statuses of a Service."""
    items = scene.cluster.items("ServiceL2Status")
    return [
        one["status"]["node"]
        for one in items
        if one.get("status", {}).get("serviceName") == service
    ]


def test_an_address_of_the_segment(scene: Scene) -> None:
    """A client on the segment is answered through one node, which the object names, by any pod."""
    address = scene.lan_web(pods=("n1", "n2"))
    scene.answered(address, *scene.pods_of(), client=LAN)
    owning = scene.owner(address)
    assert owning in NODES
    poll(lambda: reported(scene, "web") == [owning], 30, f"a ServiceL2Status of {owning}")
    assert scene.routes() == []


def test_a_cut_owner_is_replaced(scene: Scene) -> None:
    """When the owner's cable is pulled another node answers in its place."""
    address = scene.lan_web(pods=("n1", "n2", "n3"))
    scene.answered(address, *scene.pods_of(), client=LAN)
    first = scene.owner(address)
    scene.cluster.cut(first)
    try:
        poll(lambda: scene.owner(address) not in ("", first), 30, "another owner")
        gone = next(pod for pod in scene.cluster.pods.of("web") if pod.node == first)
        scene.cluster.pods.set_ready(gone, False)
        left = [name for name in scene.pods_of() if name != gone.name]
        scene.answered(address, *left, client=LAN)
    finally:
        scene.cluster.mend(first)


def test_local_policy_owner_has_a_pod(scene: Scene) -> None:
    """With externalTrafficPolicy Local the owner is the node with the pod, and it moves with that."""
    address = scene.lan_web(pods=("n2",), externalTrafficPolicy="Local")
    (first,) = scene.cluster.pods.of("web")
    scene.answered(address, first.name, client=LAN)
    assert scene.owner(address) == "n2"
    moved = scene.cluster.pods.start("web", "n3")
    scene.cluster.pods.stop(first)
    scene.answered(address, moved.name, client=LAN)
    assert scene.owner(address) == "n3"
