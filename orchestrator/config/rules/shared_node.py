"""Whether two objects with node selectors can meet on a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.model.cluster import HOSTNAME_LABEL
from orchestrator.model.selector import Labels, Selector, matches_any

Selectors = Sequence[Selector]


def share_node(one: Selectors, other: Selectors, nodes: Sequence[Labels]) -> bool:
    """Tell whether a node is selected by both; `nodes` are the labels of all that are known.

    Where none is known, each host is a node that has no label but its name.
    """
    return any(
        matches_any(one, labels) and matches_any(other, labels)
        for labels in nodes or tuple(_hosts((*one, *other)))
    )


def _hosts(selectors: Iterable[Selector]) -> Iterator[Labels]:
    """Yield the hosts that selectors name, and one with another name."""
    yield {HOSTNAME_LABEL: ""}
    for selector in selectors:
        for requirement in selector.requirements:
            if requirement.key == HOSTNAME_LABEL:
                yield from ({HOSTNAME_LABEL: name} for name in sorted(requirement.values))
