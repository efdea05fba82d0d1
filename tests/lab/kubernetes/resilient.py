"""A router whose kernel keeps connections on their next hop while another goes (resilient hashing).

FRR 8.4's zebra makes groups of the kind that spreads all connections anew. So the test puts a route with a
resilient group beside zebra's, with a better metric, and lets it follow what bgpd has.
"""

from __future__ import annotations

from typing import Self

from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import NODES, ROUTER, SEGMENT

_GROUP = 900
BUCKETS = 128
_KIND = f"type resilient buckets {BUCKETS} idle_timer 60"


class ResilientRoute:
    """The router's route to one address, while the `with` block lasts; IPv4."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self._cluster = cluster
        self._address = address
        self._ids = {hop: _GROUP + number for number, hop in enumerate(NODES.values(), start=1)}

    def _ip(self, command: str) -> None:
        self._cluster.node(ROUTER).run(["ip", *command.split()])

    def __enter__(self) -> Self:
        for hop, number in self._ids.items():
            self._ip(f"nexthop add id {number} via {hop} dev {SEGMENT}")
        self.follow()
        self._ip(f"route add {self._route()}")
        return self

    def _route(self) -> str:
        return f"{self._address}/32 nhid {_GROUP} metric 1"

    def __exit__(self, *_: object) -> None:
        # By itself: of a route that goes with its group zebra is not told, and then installs no other.
        self._ip(f"route del {self._route()}")
        for number in (_GROUP, *self._ids.values()):
            self._ip(f"nexthop del id {number}")

    def follow(self) -> frozenset[str]:
        """Send to the next hops that bgpd uses now, and return them."""
        hops = self._cluster.next_hops(self._address)
        members = "/".join(str(self._ids[hop]) for hop in sorted(hops))
        self._ip(f"nexthop replace id {_GROUP} group {members} {_KIND}")
        return hops
