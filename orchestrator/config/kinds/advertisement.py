"""What both kinds of advertisements declare: pools, nodes and Services (metallb.md 1.2, 1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from orchestrator.config.kinds.names import OBJECT_NAMES
from orchestrator.config.schema import Field, Values
from orchestrator.config.selectors import selectors, selectors_field
from orchestrator.model.selector import Selector

WHAT_FIELDS = (
    Field(
        "ipAddressPools", OBJECT_NAMES, "Pools by name; with no selectors either, all.", default=()
    ),
    selectors_field("ipAddressPoolSelectors", "Pools by label."),
    selectors_field("nodeSelectors", "Nodes that announce; none means all."),
    selectors_field("serviceSelectors", "Services that are announced; none means all."),
)


@dataclass(frozen=True, slots=True)
class References:
    """Names of other objects as they are written, in order."""

    pools: tuple[str, ...]
    peers: tuple[str, ...] = ()


class What(TypedDict):
    """The values of `WHAT_FIELDS`, by their names in the model."""

    pools: frozenset[str]
    pool_selectors: tuple[Selector, ...]
    node_selectors: tuple[Selector, ...]
    service_selectors: tuple[Selector, ...]


def what(spec: Values) -> What:
    """Return what an advertisement is for, as the model takes it."""
    return {
        "pools": frozenset(spec["ipAddressPools"]),
        "pool_selectors": selectors(spec["ipAddressPoolSelectors"]),
        "node_selectors": selectors(spec["nodeSelectors"]),
        "service_selectors": selectors(spec["serviceSelectors"]),
    }
