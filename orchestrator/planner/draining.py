"""Which nodes drain by their annotation `orchestrator.io/drain`, and which wait for their turn."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.model.cluster import Cluster, Node
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.settings import Settings


def in_turn(nodes: Iterable[Node], settings: Settings) -> tuple[list[str], list[str]]:
    """Return the nodes that drain, and those that wait since too many do (CLI.md, drain).

    The oldest annotation comes first: its value is the time of the drain.
    """
    asked = sorted((node.drain, node.name) for node in nodes if node.drain is not None)
    names = [name for _, name in asked]
    return names[: settings.max_draining], names[settings.max_draining :]


def asked_to_drain(cluster: Cluster, policy: Policy, node: str) -> str | None:
    """Return since when `node` is to drain by its annotation; None when it is not, or has to wait."""
    own = cluster.nodes.get(node)
    if own is None or own.drain is None:
        return None
    names, _ = in_turn(cluster.nodes.values(), policy.settings)
    return own.drain if node in names else None


def problems(nodes: Iterable[Node], settings: Settings) -> tuple[Problem, ...]:
    """Say of every node that waits to be drained what it waits for."""
    draining, waiting = in_turn(nodes, settings)
    before = ", ".join(draining)
    return tuple(
        Problem(
            Severity.WARNING,
            "drainWaits",
            f"Node {name}",
            f"waits to be drained: {before} drains, and maxDraining is {settings.max_draining}",
            place=f"Node {name}",
            path="metadata.annotations.orchestrator.io/drain",
            hint="undrain one of them, or raise maxDraining in Settings",
        )
        for name in waiting
    )
