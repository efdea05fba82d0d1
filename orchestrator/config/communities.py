"""Lists of communities: values, and names of aliases that Community objects define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of communities as written; `aliases` are names with their paths, still to be found."""

    values: frozenset[Value] = frozenset()
    aliases: tuple[tuple[Path, str], ...] = ()


def communities_field(name: str, doc: str) -> Field:
    """Declare a list of communities."""
    items = ListOf(Text(max_length=253, min_length=1), max_items=MAX_COMMUNITIES, unique=True)
    return Field(name, items, doc, default=())


def listed(texts: Sequence[str], path: Path, faults: Faults) -> Listed:
    """Tell values from aliases; a malformed value is a fault."""
    values: set[Value] = set()
    aliases: list[tuple[Path, str]] = []
    for index, text in enumerate(texts):
        if not looks_like_community(text):
            aliases.append(((*path, index), text))
            continue
        try:
            values.add(parse_community(text))
        except ValueError as error:
            message = f"{shown(text)} is not a community: {error}"
            faults.add((*path, index), message, "invalidCommunity")
    return Listed(frozenset(values), tuple(aliases))


def resolved(found: Listed, known: Aliases, faults: Faults) -> frozenset[Value]:
    """All communities of a list; an alias that is not known is a fault that waits for it."""
    values = set(found.values)
    for path, name in found.aliases:
        if name in known:
            values.add(known[name])
            continue
        faults.add(
            path,
            f"no Community object defines the alias {shown(name)}",
            "unknownCommunity",
            severity=Severity.WAITING,
            hint="add it to a Community object, or write the value as A:B",
        )
    return frozenset(values)


def standard(values: Iterable[Value]) -> frozenset[Community]:
    """Return the standard communities among `values`."""
    return frozenset(value for value in values if isinstance(value, Community))


def large(values: Iterable[Value]) -> frozenset[LargeCommunity]:
    """Return the large communities among `values`."""
    return frozenset(value for value in values if isinstance(value, LargeCommunity))
