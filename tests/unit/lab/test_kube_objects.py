"""What the Kubernetes lab writes is what our reader takes without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.offline import read_files
from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_topology import NODES, NODES6, kube_topology, pod_address


def test_objects_are_valid(tmp_path: Path) -> None:
    """Neither a pool, a peer, an advertisement, a Node, a Service nor a slice makes a problem."""
    endpoints = [objects.endpoint(pod_address("n1", 1, six=False), "n1", ready=True)]
    made = [
        *objects.peers(),
        objects.pool("edge", "203.0.113.0/24"),
        objects.bgp_advertisement("edge", "edge"),
        objects.l2_advertisement("edge", "edge", interfaces=["eth1"]),
        objects.node("n1", [NODES["n1"], NODES6["n1"]]),
        objects.service("web"),
        objects.endpoint_slice("web", "IPv4", endpoints),
    ]
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": made}), "utf-8")
    assert read_files((file,), objects.HOME).problems == ()


@pytest.mark.parametrize(
    ("kind", "namespace", "place"),
    [
        ("Node", "", "/api/v1/nodes/x"),
        ("Service", "", "/api/v1/namespaces/default/services/x"),
        ("Service", "shop", "/api/v1/namespaces/shop/services/x"),
        ("BGPPeer", "", "/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers/x"),
    ],
)
def test_paths(kind: str, namespace: str, place: str) -> None:
    """Configuration is in metallb-system and Services in default, where no namespace is given."""
    assert objects.path(kind, "x", namespace) == place


def test_pods_of_a_node_have_addresses_of_their_own() -> None:
    """No two pods share an address, whatever their node and family."""
    pods = [
        pod_address(node, number, six=six)
        for node in NODES
        for number in (1, 17, 255)
        for six in (False, True)
    ]
    assert len(set(pods)) == len(pods)


def test_labs_have_interfaces_of_their_own() -> None:
    """Two labs on one host share no interface of it, and no container's name."""
    first, second = kube_topology("kube0", 0), kube_topology("kube1", 1)
    assert not {first.container(node) for node in first.nodes} & {
        second.container(node) for node in second.nodes
    }
    on_host = [
        {end.interface for link in one.links for end in link.ends if end.node == "host"}
        for one in (first, second)
    ]
    assert on_host == [{"kubelab0"}, {"kubelab1"}]
