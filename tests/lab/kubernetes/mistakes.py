"""Usual mistakes: how each is made, what an operator looks at then, and what has to be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import LAN, NODES, SEGMENT
from orchestrator.model.cluster import EXCLUDE_LABEL

SERVICE = "kubectl get svc web"
SERVICES = "kubectl get svc web api"
POOLS = "kubectl get ipaddresspools -n metallb-system"
ADVERTISEMENTS = "kubectl get bgpadvertisements -n metallb-system"
PEERS = "kubectl get bgppeers -n metallb-system"
SPEAKERS = "kubectl get speakerstates -n metallb-system"
EXPLAIN = "kubectl orchestrator explain default/web"
STATUS = "kubectl orchestrator status"
FIRST = "203.0.113.10"
NOBODY = "192.168.10.9"
OWNER, OTHER, ON_SEGMENT = "n1", "n2", "192.168.10.200"
"""Who answers for the first address of the segment's pool, and a node that does not."""
TROUBLES = (
    f"kubectl get speakerstates {OWNER} -n metallb-system -o jsonpath={{.status.layer2[*].message}}"
)
SHARE = "metallb.io/allow-shared-ip"
ADDRESSES = "metallb.io/loadBalancerIPs"


def warnings(name: str = "web") -> str:
    """What tells of the Events that warn of a Service."""
    selector = f"involvedObject.name={name},type=Warning"
    return f"kubectl get events --field-selector {selector}"


@dataclass(frozen=True)
class Mistake:
    """`make` makes it. Each of `words` is to be seen in what the command it stands by shows."""

    make: Callable[[Cluster], None]
    words: Mapping[str, Sequence[str]]


def web(cluster: Cluster, pods: Sequence[str] = ("n1", "n2"), **fields: Any) -> None:
    """Make the Service, with pods that are there before it."""
    for node in pods:
        cluster.pods.start("web", node)
    cluster.apply(objects.service("web", **fields))


def configured(
    cluster: Cluster, addresses: str = f"{FIRST}-203.0.113.19", **advertisement: Any
) -> None:
    """Make a pool, and its advertisement."""
    cluster.apply(objects.pool("edge", addresses))
    cluster.apply(objects.bgp_advertisement("edge", "edge", **advertisement))


def _well(cluster: Cluster) -> None:
    configured(cluster)
    web(cluster)


def _wrong_pool(cluster: Cluster) -> None:
    configured(cluster)
    web(cluster, annotations={"metallb.io/address-pool": "egde"})


def _exhausted(cluster: Cluster) -> None:
    configured(cluster, f"{FIRST}/32")
    cluster.apply(objects.service("api"))
    cluster.wait("the only address to be given", lambda: cluster.ingress("api"))
    web(cluster)


def _no_advertisement(cluster: Cluster) -> None:
    cluster.apply(objects.pool("edge", f"{FIRST}-203.0.113.19"))
    cluster.apply(objects.bgp_advertisement("other", "lan"))
    web(cluster)


def _wrong_nodes(cluster: Cluster) -> None:
    configured(cluster, nodeSelectors=[{"matchLabels": {"rack": "a"}}])
    web(cluster)


def _peer_down(cluster: Cluster) -> None:
    _well(cluster)
    cluster.patch("BGPPeer", "r1", {"spec": {"peerAddress": NOBODY}})


def _wrong_as(cluster: Cluster) -> None:
    _well(cluster)
    cluster.patch("BGPPeer", "r1", {"spec": {"peerASN": 64510}})


def _no_local_endpoints(cluster: Cluster) -> None:
    configured(cluster)
    cluster.pods.set_ready(cluster.pods.start("web", "n1"), False)
    web(cluster, (), externalTrafficPolicy="Local")


def _excluded(cluster: Cluster) -> None:
    for name in NODES:
        cluster.patch("Node", name, {"metadata": {"labels": {EXCLUDE_LABEL: ""}}})
    _well(cluster)


def _sharing(cluster: Cluster) -> None:
    configured(cluster)
    first = {ADDRESSES: FIRST, SHARE: "front"}
    cluster.apply(objects.service("api", port=8443, annotations=first))
    cluster.wait("the address to be given", lambda: cluster.ingress("api"))
    web(cluster, annotations={ADDRESSES: FIRST})


def _wrong_class(cluster: Cluster) -> None:
    configured(cluster)
    web(cluster, loadBalancerClass="example.org/internal")


def _on_segment(cluster: Cluster) -> None:
    """Make a Service with an address of the segment, that its owner answers for."""
    cluster.apply(objects.pool("lan", f"{ON_SEGMENT}-192.168.10.209"))
    cluster.apply(objects.l2_advertisement("lan", "lan", interfaces=[SEGMENT]))
    web(cluster)

    def answered() -> bool:
        statuses = [one.get("status", {}) for one in cluster.items("ServiceL2Status")]
        return [one.get("node") for one in statuses] == [OWNER]

    cluster.wait(f"{OWNER} to answer", answered)


def bind(cluster: Cluster, node: str) -> None:
    """Let a kernel have the address of the segment, and so answer for it (arp_ignore is 0)."""
    cluster.node(node).run(["ip", "address", "add", f"{ON_SEGMENT}/32", "dev", "eth1"])


def unbind(cluster: Cluster) -> None:
    """Take the address off again, wherever it is."""
    for node in (OTHER, LAN):
        argv = ["ip", "address", "delete", f"{ON_SEGMENT}/32", "dev", "eth1"]
        cluster.node(node).run(argv, check=False)


def _kernel_answers(cluster: Cluster) -> None:
    _on_segment(cluster)
    bind(cluster, OTHER)


def _conflict(cluster: Cluster) -> None:
    _on_segment(cluster)
    bind(cluster, LAN)


PENDING = ("<pending>",)
MISTAKES: Mapping[str, Mistake] = {
    "all-is-well": Mistake(
        _well,
        {
            SERVICE: (FIRST,),
            warnings(): ("No resources found",),
            SPEAKERS: ("2/2",),
            EXPLAIN: ("default/web is announced by n1, n2, n3.", "flushed"),
        },
    ),
    "wrong-pool-name": Mistake(
        _wrong_pool,
        {
            SERVICE: PENDING,
            warnings(): ("AllocationFailed", "egde"),
            POOLS: ("edge",),
            EXPLAIN: ("unknownPool", "egde"),
        },
    ),
    "exhausted-pool": Mistake(
        _exhausted,
        {
            SERVICES: (*PENDING, FIRST),
            warnings(): ("AllocationFailed", "no available IPs"),
            POOLS: ("FREE IPV4", " 0 "),
            EXPLAIN: ("noAvailableAddresses",),
        },
    ),
    "no-advertisement": Mistake(
        _no_advertisement,
        {
            SERVICE: (FIRST,),
            warnings(): ("NotAnnounced", "covers pool edge"),
            ADVERTISEMENTS: ('["lan"]',),
            EXPLAIN: ("noMatchingAdvertisement", "covers pool edge"),
        },
    ),
    "node-selector": Mistake(
        _wrong_nodes,
        {
            SERVICE: (FIRST,),
            warnings(): ("NotAnnounced", "nodeSelectors do not match"),
            f"{ADVERTISEMENTS} -o wide": ('"rack":"a"',),
            "kubectl get nodes -L rack": ("RACK",),
            EXPLAIN: ("noMatchingAdvertisement", "nodeSelectors do not match"),
        },
    ),
    "peer-down": Mistake(
        _peer_down,
        {
            SERVICE: (FIRST,),
            PEERS: (NOBODY,),
            SPEAKERS: ("1/2", "r1: no TCP connection"),
            EXPLAIN: ("peerDown", "r1 down (no TCP connection"),
        },
    ),
    "wrong-as": Mistake(
        _wrong_as,
        {
            SERVICE: (FIRST,),
            PEERS: ("64510",),
            SPEAKERS: ("1/2", "r1: bad peer AS"),
            EXPLAIN: ("peerDown", "bad peer AS", "peerASN"),
        },
    ),
    "no-local-endpoints": Mistake(
        _no_local_endpoints,
        {
            SERVICE: (FIRST,),
            warnings(): ("NotAnnounced", "externalTrafficPolicy is Local"),
            EXPLAIN: ("noLocalEndpoints", "externalTrafficPolicy is Local"),
        },
    ),
    "excluded-nodes": Mistake(
        _excluded,
        {
            SERVICE: (FIRST,),
            warnings(): ("NotAnnounced", EXCLUDE_LABEL),
            f"kubectl get nodes -l {EXCLUDE_LABEL}": tuple(NODES),
            EXPLAIN: ("nodeLabeledExcludeBalancers",),
        },
    ),
    "sharing-clash": Mistake(
        _sharing,
        {
            SERVICES: (*PENDING, FIRST),
            warnings(): ("AllocationFailed", "api"),
            EXPLAIN: ("sharingMismatch", "default/api"),
        },
    ),
    "wrong-class": Mistake(
        _wrong_class,
        {
            SERVICE: PENDING,
            warnings(): ("No resources found",),
            "kubectl get svc web -o custom-columns=NAME:.metadata.name,"
            "CLASS:.spec.loadBalancerClass": ("example.org/internal",),
            EXPLAIN: ("otherClass", "example.org/internal"),
        },
    ),
    "kernel-answers": Mistake(
        _kernel_answers,
        {
            SERVICE: (ON_SEGMENT,),
            warnings(): ("No resources found",),
            TROUBLES: (f"the kernel of {OTHER} answers",),
            EXPLAIN: ("kernelAnswers", "strictARP"),
        },
    ),
    "address-conflict": Mistake(
        _conflict,
        {
            SERVICE: (ON_SEGMENT,),
            warnings(): ("No resources found",),
            TROUBLES: ("says it has this address too",),
            EXPLAIN: ("addressConflict", ON_SEGMENT),
        },
    ),
}
"""By the name of their place in docs/troubleshooting.md."""
