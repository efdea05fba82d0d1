"""Objects with one thing changed, straight from the declarations: good ones and bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from orchestrator.config.schema import (
    Boolean,
    Choice,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Parsed,
    Record,
    Text,
    Type,
)
from tests.property.objects_of import Place, example, places, sample, with_value, without

HUGE = 10**12


class Case(NamedTuple):
    """An object, and what was done to it."""

    name: str
    made: dict[str, Any]


def cases(kind: Kind) -> Iterator[Case]:
    """Make a kind's example, and that with each field at and beyond its limits."""
    yield Case("example", example(kind))
    for place in places(kind):
        yield Case(f"{place.text} missing", without(place))
        wrong = Place(place.kind, (*place.path[:-1], f"{place.path[-1]}x"), place.field)
        yield Case(f"{wrong.text} unknown", with_value(wrong, sample(place.field.type)))
        for value in values_of(place.field.type):
            yield Case(f"{place.text} = {str(value)[:50]}", with_value(place, value))


def values_of(wanted: Type) -> list[Any]:
    """Make values inside and outside of a type."""
    return [*_other_types(wanted), *_at_limits(wanted), *([_empty(wanted)])]


def _other_types(wanted: Type) -> list[Any]:
    others: list[Any] = ["text", 1, True, 1.5, ["a"], {"a": "b"}]
    fitting: dict[type, type] = {
        Text: str,
        Choice: str,
        Parsed: str,
        Integer: int,
        Boolean: bool,
        ListOf: list,
        MapOf: dict,
        Record: dict,
    }
    return [value for value in others if type(value) is not fitting[type(wanted)]]


def _empty(wanted: Type) -> Any:
    match wanted:
        case ListOf():
            return []
        case MapOf() | Record():
            return {}
        case Integer():
            return 0
        case Boolean():
            return False
        case _:
            return ""


def _at_limits(wanted: Type) -> list[Any]:
    match wanted:
        case Integer():
            edges = (wanted.minimum - 1, wanted.minimum, wanted.maximum, wanted.maximum + 1)
            found: list[Any] = [*edges, HUGE, -HUGE]
        case Text():
            letters = [wanted.min_length - 1, wanted.min_length, wanted.max_length]
            texts = ["a" * count for count in [*letters, wanted.max_length + 1] if count >= 0]
            found = [*texts, "a/b:c d", "Ümlaut", "a\tb", "-"]
        case Choice():
            found = [*wanted.values, "another", wanted.values[0].upper() or "X"]
        case ListOf():
            found = _lists(wanted)
        case MapOf():
            found = [{"a": value} for value in values_of(wanted.value)]
        case _:
            found = [True, False] if isinstance(wanted, Boolean) else ["nonsense"]
    return found


def _lists(wanted: ListOf) -> list[Any]:
    item = sample(wanted.item)
    found: list[Any] = [[item], [item, item]]
    if isinstance(wanted.item, Integer):
        most = wanted.max_items
        found.append([wanted.item.minimum + number % 500 for number in range(most + 1)])
    if isinstance(wanted.item, Text) and wanted.max_items <= 1000:
        texts = [f"a{number}" for number in range(wanted.max_items + 1)]
        found += [texts, texts[:-1]]
    if not isinstance(wanted.item, Record):
        found += [[value] for value in values_of(wanted.item)]
    return found
