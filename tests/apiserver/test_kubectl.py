"""What kubectl prints of a real API server goes into `orchestrator plan` unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from orchestrator.lab.apiserver import ApiServer

OURS = "ipaddresspools,bgpadvertisements,l2advertisements,bgppeers,communities,bfdprofiles,settings"
KINDS = f"svc,endpoints,endpointslices,nodes,namespaces,secrets,configmaps,{OURS}"
WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: front}}
---
apiVersion: v1
kind: Node
metadata: {name: node-a, labels: {rack: a}}
---
apiVersion: v1
kind: Node
metadata: {name: node-b, labels: {rack: b}}
---
apiVersion: v1
kind: Secret
metadata: {name: r1, namespace: metallb-system}
type: kubernetes.io/basic-auth
stringData: {username: x, password: hidden-word}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: r1, namespace: metallb-system}
spec: {myASN: 64500, peerASN: 64501, peerAddress: 192.0.2.1, passwordSecret: {name: r1}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge, namespace: metallb-system}
spec: {addresses: [198.51.100.0/29]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: shop, namespace: metallb-system}
spec:
  addresses: [203.0.113.0/29]
  serviceAllocation: {priority: 1, namespaceSelectors: [{matchLabels: {tier: front}}]}
---
apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names, namespace: metallb-system}
spec: {communities: [{name: blackhole, value: "65535:666"}]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: edge, namespace: metallb-system}
spec: {ipAddressPools: [edge], communities: [blackhole], nodeSelectors: [{matchLabels: {rack: a}}]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: shop, namespace: metallb-system}
spec: {ipAddressPools: [shop], interfaces: [eth0]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {type: LoadBalancer, ports: [{name: http, port: 80}], selector: {app: web}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {type: LoadBalancer, ports: [{name: http, port: 80}], selector: {app: cart}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.1.0.1], nodeName: node-b, conditions: {ready: true}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-1, namespace: shop, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.1.0.2], nodeName: node-a, conditions: {ready: true}}]
"""


def kubectl(server: ApiServer, *arguments: str, text: str = "") -> str:
    """Run kubectl as the administrator; returns what it prints."""
    program = shutil.which("kubectl")
    assert program, "kubectl is missing: apt-get install kubernetes-client"
    command = [program, "--kubeconfig", str(server.kubeconfig), *arguments]
    result = subprocess.run(
        command, check=False, input=text, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def plan(text: str) -> tuple[int, Any]:
    """Run `orchestrator plan -f -`; returns its status and its document."""
    command = [sys.executable, "-m", "orchestrator", "plan", "-f", "-", "-o", "json"]
    result = subprocess.run(
        command, check=False, input=text, capture_output=True, text=True, timeout=120
    )
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


@pytest.fixture(scope="module")
def cluster(server: ApiServer) -> Iterator[ApiServer]:
    """A cluster with a little of everything, in which `default/web` has its address already."""
    # Other tests on this server leave peers and pools behind.
    kubectl(server, "delete", OURS, "--all", "-n", "metallb-system")
    kubectl(server, "create", "--validate=false", "-f", "-", text=WORLD)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.5"}]}}}
    path = "/api/v1/namespaces/default/services/web/status"
    assert server.request("PATCH", path, status, kind="merge-patch+json").status == 200
    yield server
    for document in yaml.safe_load_all(WORLD):
        metadata = document["metadata"]
        where = ["-n", metadata["namespace"]] if "namespace" in metadata else []
        kubectl(
            server, "delete", "--wait=false", *where, document["kind"].lower(), metadata["name"]
        )


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_whole_output_is_planned_unchanged(cluster: ApiServer, form: str) -> None:
    """With managedFields, defaults and all, every object means what it meant when it was written."""
    status, document = plan(kubectl(cluster, "get", KINDS, "-A", "-o", form))
    assert (status, document["problems"]) == (0, [])
    told = {
        entry["service"]: (entry["state"], entry["addresses"], entry["pool"], entry["origin"])
        for entry in document["assignments"]
    }
    assert told == {
        "default/kubernetes": ("ignored", [], None, None),
        "default/web": ("assigned", ["198.51.100.5"], "edge", "kept"),
        "shop/cart": ("assigned", ["203.0.113.0"], "shop", "automatic"),
    }
    assert [(r["node"], r["peer"], r["prefix"], r["communities"]) for r in document["routes"]] == [
        ("node-a", "r1", "198.51.100.5/32", ["65535:666"])
    ]
    (election,) = document["layer2"]
    assert (election["service"], election["interfaces"]) == ("shop/cart", ["eth0"])
    assert set(election["candidates"]) == {"node-a", "node-b"}
    assert "hidden-word" not in json.dumps(document)


def test_get_all_is_planned_too(cluster: ApiServer) -> None:
    """`kubectl get all` has Services among much that does not matter: nothing is assigned from it."""
    status, document = plan(kubectl(cluster, "get", "all", "-A", "-o", "yaml"))
    assert (status, document["problems"]) == (0, [])
    reasons = {entry["service"]: entry["reason"] for entry in document["assignments"]}
    assert reasons["default/web"] == "noPools"
