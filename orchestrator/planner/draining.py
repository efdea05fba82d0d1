"""Which nodes drain by their annotation `orchestrator.io/drain` or a cordon, and which wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.model.cluster import DRAIN, Cluster, Node
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Settings

_ANNOTATION = f"metadata.annotations.{DRAIN}"
_UNSCHEDULABLE = "spec.unschedulable"
CORDONED = "cordoned"
"""Since when a node drains that is not annotated: nobody noted the time."""


def in_turn(nodes: Iterable[Node], settings: Settings) -> tuple[list[str], list[str]]:
    """Return the nodes that drain, and those that wait since too many do (CLI.md, drain).

    The oldest annotation comes first: its value is the time of the drain. Where cordoned nodes
    drain too, they come after those, by name.
    """
    asked = sorted(
        (node.drain is None, node.drain or "", node.name)
        for node in nodes
        if _since(node, settings) is not None
    )
    names = [name for _, _, name in asked]
    return names[: settings.max_draining], names[settings.max_draining :]


def _since(node: Node, settings: Settings) -> str | None:
    """Return since when a node is to drain, None when it is not."""
    cordoned = settings.drain_on_cordon and node.cordoned
    return node.drain if node.drain is not None or not cordoned else CORDONED


class Asked(NamedTuple):
    """Since when a node is to drain, and seconds until its routes are withdrawn, if that was said."""

    since: str
    wait_s: float | None = None


def asked_to_drain(cluster: Cluster, policy: Policy, node: str) -> Asked | None:
    """Return what is asked of `node` by its object; None when nothing is, or it has to wait."""
    own = cluster.nodes.get(node)
    since = None if own is None else _since(own, policy.settings)
    if own is None or since is None:
        return None
    names, _ = in_turn(cluster.nodes.values(), policy.settings)
    return Asked(since, own.drain_wait_s) if node in names else None


def problems(nodes: Iterable[Node], settings: Settings) -> tuple[Problem, ...]:
    """Say of every node that waits to be drained what it waits for."""
    known = {node.name: node for node in nodes}
    draining, waiting = in_turn(known.values(), settings)
    before = ", ".join(draining)
    return tuple(
        Problem(
            Severity.WARNING,
            "drainWaits",
            f"Node {name}",
            f"waits to be drained: {before} drains, and maxDraining is {settings.max_draining}",
            place=f"Node {name}",
            path=_UNSCHEDULABLE if known[name].drain is None else _ANNOTATION,
            hint="undrain one of them, or raise maxDraining in Settings",
        )
        for name in waiting
    )
