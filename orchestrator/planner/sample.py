"""Which nodes are asked where it only matters whether any node announces an address.

In a cluster of hundreds of nodes most are alike to the planner: the same peers and advertisements
choose them, and nothing is wrong with them. One of them speaks for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Generic, TypeVar

from orchestrator.model.cluster import Node, TrafficPolicy
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment
from orchestrator.model.policy import Policy
from orchestrator.model.selector import matches_any
from orchestrator.planner import eligible
from orchestrator.planner.world import World

Group = tuple[Node, ...]
V = TypeVar("V")


def alike_nodes(
    nodes: Sequence[Node], policy: Policy, local: Local, draining: Collection[str]
) -> tuple[Group, ...]:
    """Put together the nodes of which every answer is the same, but for endpoints and elections."""
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        groups.setdefault(_likeness(node, policy, local, draining), []).append(node)
    return tuple(map(tuple, groups.values()))


def _likeness(node: Node, policy: Policy, local: Local, draining: Collection[str]) -> object:
    advertisements = (*policy.bgp_advertisements, *policy.l2_advertisements)
    return (
        tuple(peer.selects(node.labels) for peer in policy.peers),
        tuple(matches_any(one.node_selectors, node.labels) for one in advertisements),
        eligible.node_away(node, local, draining),
        eligible.node_unfit(node, local),
    )


class Sample(Generic[V]):
    """Chooses nodes; `look_at` makes the view of one that speaks for some others."""

    def __init__(
        self,
        groups: Iterable[Group],
        world: World,
        look_at: Callable[[Node, tuple[str, ...]], V],
    ) -> None:
        self._world = world
        self._look_at = look_at
        self._nodes = {node.name: node for node in world.nodes}
        self._groups = tuple(groups)
        self._singles: dict[str, V] = {}
        self._speakers: tuple[V, ...] = tuple(
            look_at(first, tuple(other.name for other in others)) for first, *others in self._groups
        )

    def over_bgp(self, assignment: Assignment) -> Iterable[V]:
        """Return one node of each group; with policy Local those with an endpoint besides."""
        key = assignment.service
        if self._world.services[key].traffic_policy is not TrafficPolicy.LOCAL:
            return self._speakers
        local = eligible.nodes_with_endpoints(self._world.endpoints.get(key, ()))
        return self._each({*self._firsts(), *(name for name in local if name is not None)})

    def on_layer2(self, owners: Collection[str]) -> Iterable[V]:
        """Return the owners; where there are none, one node of each group."""
        return self._each(owners or self._firsts())

    def _firsts(self) -> list[str]:
        return [group[0].name for group in self._groups]

    def _each(self, names: Iterable[str]) -> list[V]:
        return [self._single(name) for name in sorted(names) if name in self._nodes]

    def _single(self, name: str) -> V:
        if name not in self._singles:
            self._singles[name] = self._look_at(self._nodes[name], ())
        return self._singles[name]
