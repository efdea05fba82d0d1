"""Reads values by their schema at speed, or not at all: whatever is doubtful is left to `walk`.

What it returns is what `walk` returns for the same text. It serves the kinds that are not ours
(Services, EndpointSlices, Nodes ...): there are many of them and they are good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from orchestrator.config.fast.plain import DoubtError, Plain, Value, as_text
from orchestrator.config.faults import Faults
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Integer,
    ListOf,
    MapOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Type,
)

Reader: TypeAlias = Callable[[Value], Any]

_MAX_DIGITS = 20


def faultless() -> Faults:
    """Return a collector that raises DoubtError on the first fault."""

    def doubt() -> NoReturn:
        raise DoubtError

    return Faults(doubt)


def reader_of(wanted: Type) -> Reader:
    """Return what reads a type; it raises DoubtError for everything that is not plainly good."""
    return _READERS[type(wanted)](wanted)


def _record(wanted: Record) -> Reader:
    fields = [
        (field.name, reader_of(field.type), field.default, field.required)
        for field in wanted.fields
    ]
    names = None if wanted.lenient else frozenset(field.name for field in wanted.fields)
    rules = wanted.rules

    def read(value: Value) -> Any:
        if not isinstance(value, dict) or (names is not None and not value.keys() <= names):
            raise DoubtError
        values = {}
        for name, inner, default, required in fields:
            found = value.get(name)
            if found is not None:
                values[name] = inner(found)
            elif required:
                raise DoubtError
            else:
                values[name] = default
        if rules and any(rule.check(values) is not None for rule in rules):
            raise DoubtError
        return values

    return read


def _text(wanted: Text) -> Reader:
    shortest, longest, pattern = wanted.min_length, wanted.max_length, wanted.pattern

    def read(value: Value) -> str:
        text = as_text(value)
        if not shortest <= len(text) <= longest:
            raise DoubtError
        if pattern is not None and not pattern.fullmatch(text):
            raise DoubtError
        return text

    return read


def _integer(wanted: Integer) -> Reader:
    smallest, largest = wanted.minimum, wanted.maximum

    def read(value: Value) -> int:
        if not isinstance(value, Plain) or not (value.isdecimal() and value.isascii()):
            raise DoubtError
        if len(value) > _MAX_DIGITS or (value[0] == "0" and value != "0"):
            raise DoubtError
        number = int(value)
        if not smallest <= number <= largest:
            raise DoubtError
        return number

    return read


def _boolean(wanted: Boolean) -> Reader:
    del wanted

    def read(value: Value) -> bool:
        if value is True or (isinstance(value, Plain) and value == "true"):
            return True
        if value is False or (isinstance(value, Plain) and value == "false"):
            return False
        raise DoubtError

    return read


def _choice(wanted: Choice) -> Reader:
    words = {word: word for word in wanted.values}

    def read(value: Value) -> str:
        word = words.get(as_text(value))
        if word is None:
            raise DoubtError
        return word

    return read


def _parsed(wanted: Parsed) -> Reader:
    def read(value: Value) -> Any:
        try:
            return wanted.parse(as_text(value))
        except ValueError:
            raise DoubtError from None

    return read


def _list(wanted: ListOf) -> Reader:
    item = reader_of(wanted.item)
    fewest, most, unique, identity = (
        wanted.min_items,
        wanted.max_items,
        wanted.unique,
        wanted.identity,
    )

    def read(value: Value) -> tuple[Any, ...]:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise DoubtError
        items = tuple([item(inner) for inner in value])
        if unique:
            refuse_equal(items, identity)
        return items

    return read


def refuse_equal(items: Sequence[Any], identity: Callable[[Any], Any]) -> None:
    """DoubtError when two items have an equal identity."""
    same = [identity(item) for item in items]
    if any(item in same[:index] for index, item in enumerate(same)):
        raise DoubtError


def _map(wanted: MapOf) -> Reader:
    inner, pattern = reader_of(wanted.value), wanted.key.pattern

    def read(value: Value) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise DoubtError
        if pattern is not None and not all(pattern.fullmatch(key) for key in value):
            raise DoubtError
        return {key: inner(item) for key, item in value.items() if item is not None}

    return read


def _opaque(wanted: Opaque) -> Reader:
    del wanted
    return lambda _: None


_READERS: dict[type, Callable[[Any], Reader]] = {
    Text: _text,
    Integer: _integer,
    Boolean: _boolean,
    Choice: _choice,
    Parsed: _parsed,
    ListOf: _list,
    MapOf: _map,
    Opaque: _opaque,
    Record: _record,
}
