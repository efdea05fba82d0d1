"""Lists of communities: values, and names of aliases that Community objects define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from orchestrator.config.faults import Faults, shown
from orchestrator.config.formats import looks_like_community, parse_community
from orchestrator.config.schema import Field, ListOf, Text
from orchestrator.config.tree import Path
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.problem import Severity

Value: TypeAlias = Community | LargeCommunity
Aliases: TypeAlias = Mapping[str, Value]

MAX_COMMUNITIES = 63
"""Most communities that one announcement may carry, as in MetalLB."""


Listed: TypeAlias = tuple[tuple[Path, str], ...]
"""A list of communities as written, each with its path; what a name means is still to be found."""


def communities_field(name: str, doc: str) -> Field:
    """Declare a list of communities."""
    items = ListOf(Text(max_length=253, min_length=1), max_items=MAX_COMMUNITIES, unique=True)
    return Field(name, items, doc, default=())


def listed(texts: Sequence[str], path: Path) -> Listed:
    """Give every text of a list its path."""
    return tuple(((*path, index), text) for index, text in enumerate(texts))


def resolved(found: Listed, known: Aliases, faults: Faults) -> frozenset[Value]:
    """All communities of a list; as in MetalLB an alias goes before a value that looks like it."""
    values = (known.get(text) or _value(path, text, faults) for path, text in found)
    return frozenset(value for value in values if value is not None)


def _value(path: Path, text: str, faults: Faults) -> Value | None:
    """Read a text that is no known alias; one that may yet become an alias is waited for."""
    try:
        return parse_community(text)
    except ValueError as error:
        if looks_like_community(text):
            message = f"{shown(text)} is not a community: {error}"
            faults.add(path, message, "invalidCommunity")
            return None
    faults.add(
        path,
        f"no Community object defines the alias {shown(text)}",
        "unknownCommunity",
        severity=Severity.WAITING,
        hint="add it to a Community object, or write the value as A:B",
    )
    return None


def standard(values: Iterable[Value]) -> frozenset[Community]:
    """Return the standard communities among `values`."""
    return frozenset(value for value in values if isinstance(value, Community))


def large(values: Iterable[Value]) -> frozenset[LargeCommunity]:
    """Return the large communities among `values`."""
    return frozenset(value for value in values if isinstance(value, LargeCommunity))
