"""What the tests on a cluster ask of it: Services, what the router has, who answers a client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import CLIENT, LAN, NODES, NODES6, SEGMENT
from orchestrator.lab.requests import FAILED
from tests.lab.harness import poll

PROGRAMS = ("/usr/lib/frr/bgpd", "vtysh", "ip", "nsenter", "iptables", "etcd", "openssl")
"""What the lab needs of this host."""
EDGE, EDGE6, OTHER = "203.0.113.", "2001:db8:113::", "198.51.100."
LAN_POOL = "192.168.10.2"
"""Beginnings of the addresses of the pools `edge`, `other` and `lan`."""
ASKED = 12
_POOL = "metallb.io/address-pool"


class Scene:
    """A cluster between two tests."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def set_up(self) -> None:
        """Make pools and advertisements: `edge` is given unasked, `other` and `lan` by name only."""
        lan = objects.pool("lan", "192.168.10.200-192.168.10.249", autoAssign=False)
        for one in (
            objects.pool("edge", "203.0.113.0/24", "2001:db8:113::/120"),
            objects.pool("other", "198.51.100.0/24", autoAssign=False),
            objects.bgp_advertisement("routed", "edge", "other"),
            lan,
            objects.l2_advertisement("lan", "lan", interfaces=[SEGMENT]),
        ):
            self.cluster.apply(one)

    def sweep(self) -> None:
        """Take away what a test made, and wait until the router has forgotten it."""
        cluster = self.cluster
        for name in NODES:
            body = {"metadata": {"annotations": {"orchestrator.io/drain": None}}}
            cluster.patch("Node", name, body)
        for namespace in ("default", "shop", "kitchen"):
            for kind in ("Service", "EndpointSlice"):
                for one in cluster.items(kind, namespace):
                    if one["metadata"]["name"] != "kubernetes":
                        cluster.delete(kind, one["metadata"]["name"], namespace)
        cluster.pods.stop_all()
        for kind in ("IPAddressPool", "BGPAdvertisement", "L2Advertisement", "Settings"):
            for one in cluster.items(kind):
                cluster.delete(kind, one["metadata"]["name"])
        poll(lambda: not self.routes(), 60, "the router to have no route of ours")

    def routes(self) -> list[str]:
        """Prefixes that the router's bgpd has of our pools."""
        tables = (
            self.cluster.router.json(f"show bgp {family} unicast") for family in ("ipv4", "ipv6")
        )
        return [prefix for table in tables for prefix in table.get("routes", {})]

    def web(self, name: str = "web", pods: Sequence[str] = ("n1",), **fields: Any) -> list[str]:
        """Make a Service with pods on these nodes; return its addresses once it has them."""
        self.cluster.apply(objects.service(name, **fields))
        namespace = fields.get("namespace", "default")
        for node in pods:
            self.cluster.pods.start(name, node, namespace)
        return self.addresses(name, namespace)

    def lan_web(self, name: str = "web", pods: Sequence[str] = ("n1",), **fields: Any) -> str:
        """Make a Service with an address of the segment; return that."""
        return self.web(name, pods, annotations={_POOL: "lan"}, **fields)[0]

    def addresses(self, name: str = "web", namespace: str = "default") -> list[str]:
        """Return a Service's addresses once it has some."""
        return poll(lambda: self.cluster.ingress(name, namespace), 60, f"an address of {name}")

    def routed(self, address: str, *nodes: str) -> None:
        """Wait until the router sends an address to exactly these nodes."""
        by_node = NODES6 if ":" in address else NODES
        wanted = {by_node[node] for node in nodes}

        def hops() -> bool:
            found = self.cluster.next_hops(address)
            assert found == wanted, found
            return True

        poll(hops, 60, f"{address} to be routed to {wanted}")

    def answered(self, address: str, *pods: str, client: str = CLIENT, port: int = 80) -> None:
        """Wait until exactly these pods answer a client at an address, and no request fails."""

        def answers() -> bool:
            found = self.cluster.ask_often(client, address, ASKED * len(pods), port)
            assert set(found) == set(pods), found
            return True

        poll(answers, 60, f"{', '.join(pods)} to answer at {address}")

    def unanswered(self, address: str, client: str = CLIENT, port: int = 80) -> None:
        """Wait until nobody answers a client at an address."""
        poll(
            lambda: self.cluster.ask(client, address, port) == FAILED,
            60,
            f"nobody to answer at {address}",
        )

    def pods_of(self, name: str = "web", namespace: str = "default") -> list[str]:
        """Names of a Service's pods."""
        return [pod.name for pod in self.cluster.pods.of(name, namespace)]

    def owner(self, address: str) -> str:
        """The node whose hardware address a client on the segment has for an address; empty: none."""
        argv = ["ip", "-j", "neigh", "show", address]
        found = json.loads(self.cluster.node(LAN).run(argv).stdout or "[]")
        seen = found[0].get("lladdr", "") if found else ""
        return next((node for node in NODES if self._hardware(node) == seen), "")

    def _hardware(self, node: str) -> str:
        argv = ["ip", "-j", "link", "show", SEGMENT]
        return str(json.loads(self.cluster.node(node).run(argv).stdout)[0]["address"])
