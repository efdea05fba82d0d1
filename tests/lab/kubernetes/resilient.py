"""A router whose kernel keeps connections on their next hop while another goes (resilient hashing).

FRR 8.4's zebra makes groups of the kind that spreads all connections anew. So the test puts a route with a
resilient group into a table of its own, which zebra does not look at, and lets it follow what bgpd has.
"""

from __future__ import annotations

import itertools
from typing import Self

from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import NODES, ROUTER, SEGMENT

_GROUPS = itertools.count(100_000, -10)
"""Numbers of groups, downwards: zebra gives its own numbers above the highest that it has seen."""
_TABLE = 100
BUCKETS = 128
_KIND = f"type resilient buckets {BUCKETS} idle_timer 60"


class ResilientRoute:
    """The router's route to one address, while the `with` block lasts; IPv4."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self._cluster = cluster
        self._address = address
        self._group = next(_GROUPS)
        self._ids = {
            hop: self._group + number for number, hop in enumerate(NODES.values(), start=1)
        }

    def _ip(self, command: str) -> None:
        self._cluster.node(ROUTER).run(["ip", *command.split()])

    def __enter__(self) -> Self:
        for hop, number in self._ids.items():
            self._ip(f"nexthop add id {number} via {hop} dev {SEGMENT}")
        self.follow()
        self._ip(f"route add {self._address}/32 nhid {self._group} table {_TABLE}")
        self._ip(f"rule add to {self._address}/32 lookup {_TABLE}")
        return self

    def __exit__(self, *_: object) -> None:
        self._ip(f"rule del to {self._address}/32 lookup {_TABLE}")
        for number in (self._group, *self._ids.values()):  # the route goes with its group
            self._ip(f"nexthop del id {number}")

    def follow(self) -> frozenset[str]:
        """Send to the next hops that bgpd uses now, and return them."""
        hops = self._cluster.next_hops(self._address)
        members = "/".join(str(self._ids[hop]) for hop in sorted(hops))
        self._ip(f"nexthop replace id {self._group} group {members} {_KIND}")
        return hops
