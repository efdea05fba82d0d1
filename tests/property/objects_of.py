"""Objects made from the declarations of their kinds, so that a new field needs no new test."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from orchestrator.config.kinds.registry import KINDS
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Field,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Type,
)
from orchestrator.config.source import Source
from orchestrator.model.problem import Problem

OURS = [kind for kind in KINDS if kind.strict]

CORPUS = (
    "a",
    "b-1",
    "192.0.2.0/24",
    "10.0.0.1-10.0.0.9",
    "192.0.2.9",
    "192.0.2.9/24",
    "2001:db8::1",
    "64512:1",
    "90s",
    "lo",
    "/x",
    "127.0.0.1:80",
    "^lo$",
    "a/b",
    "",
)
"""Texts of which at least one fits every type of text that is declared."""

WORDS = st.sampled_from(CORPUS)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**33), st.floats(0, 9), WORDS, st.text(max_size=8)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def likely(wanted: Type) -> st.SearchStrategy[Any]:
    """Make values that often, but not always, fit a type; straight from the declaration."""
    match wanted:
        case Integer():
            good: st.SearchStrategy[Any] = st.integers(wanted.minimum, wanted.maximum)
        case Boolean():
            good = st.booleans()
        case Choice():
            good = st.sampled_from(wanted.values)
        case ListOf():
            good = st.lists(likely(wanted.item), max_size=3)
        case MapOf():
            good = st.dictionaries(WORDS, likely(wanted.value), max_size=2)
        case Record():
            fields = {field.name: likely(field.type) for field in wanted.fields}
            good = st.fixed_dictionaries({}, optional=fields)
        case _:
            good = WORDS
    return st.integers(0, 19).flatmap(lambda dice: ANYTHING if dice == 0 else good)


def objects(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects of a kind that are often good."""
    annotations = st.dictionaries(
        st.sampled_from([field.name for field in kind.annotations] or ["x"]), WORDS, max_size=2
    )
    metadata = st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", "c", "Not_Good"])},
        optional={
            "annotations": annotations,
            "labels": st.dictionaries(WORDS, WORDS, max_size=2),
            "creationTimestamp": st.sampled_from(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]),
        },
    )
    version = f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0]
    body = {field.name: likely(field.type) for field in kind.body.fields}
    return st.fixed_dictionaries(
        {"apiVersion": st.just(version), "kind": st.just(kind.name), "metadata": metadata},
        optional=body,
    )


OBJECTS = st.lists(st.one_of([objects(kind) for kind in KINDS]), max_size=6)


def stream(made: list[dict[str, Any]]) -> bytes:
    """Write objects as one stream."""
    return "\n---\n".join(json.dumps(item, ensure_ascii=True) for item in made).encode()


def one(text: bytes, previous: Reading | None = None) -> Reading:
    """Read one text."""
    return read([Source("f", text)], previous=previous)


def sample(wanted: Type) -> Any:
    """Make one value that fits a type, with what it requires and nothing else."""
    match wanted:
        case ListOf():
            return [sample(wanted.item)]
        case MapOf():
            return {"a": sample(wanted.value)}
        case Record():
            return {field.name: sample(field.type) for field in wanted.fields if field.required}
        case _:
            return _one_of(wanted)


def _one_of(wanted: Type) -> Any:
    """Make a value of a type that has no parts."""
    match wanted:
        case Integer():
            return max(wanted.minimum, min(wanted.maximum, 1))
        case Choice():
            return wanted.values[-1]
        case Text() | Parsed():
            return next(text for text in CORPUS if fits(wanted, text))
        case _:
            return isinstance(wanted, Boolean) or None


def fits(wanted: Text | Parsed, text: str) -> bool:
    """Tell whether a text is one of this type."""
    if isinstance(wanted, Text):
        long_enough = max(wanted.min_length, 1) <= len(text) <= wanted.max_length
        return long_enough and (wanted.pattern is None or bool(wanted.pattern.fullmatch(text)))
    try:
        return wanted.parse(text) is not None
    except ValueError:
        return False


Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One field of a kind, with the path to it through the first item of every list."""

    kind: Kind
    path: Path
    field: Field

    @property
    def text(self) -> str:
        """The path as problems write it."""
        return written(self.path)

    def __str__(self) -> str:
        return f"{self.kind.name}-{self.kind.versions[0]}-{self.text}"


def written(path: Path) -> str:
    """Write a path as problems do."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).removeprefix(".")


def places(kind: Kind) -> list[Place]:
    """Find every field of a kind, those inside of lists too."""
    return list(_places(kind, kind.body, ()))


def _places(kind: Kind, record: Record, before: Path) -> Iterator[Place]:
    for field in record.fields:
        if isinstance(field.type, Opaque):
            continue
        path = (*before, field.name)
        yield Place(kind, path, field)
        inner: Type = field.type
        while isinstance(inner, ListOf):
            inner, path = inner.item, (*path, 0)
        if isinstance(inner, Record):
            yield from _places(kind, inner, path)


PLACES = [place for kind in OURS for place in places(kind)]


def example(kind: Kind) -> dict[str, Any]:
    """Return the documented example of a kind."""
    made: dict[str, Any] = yaml.safe_load(kind.example)
    return made


def with_value(place: Place, value: Any, made: dict[str, Any] | None = None) -> dict[str, Any]:
    """Put a value at a place of an object, the kind's example unless another is given.

    What is missing on the way is filled in.
    """
    made = copy.deepcopy(example(place.kind) if made is None else made)
    parent = _parent(made, place)
    parent[place.path[-1]] = value
    return made


def without(place: Place) -> dict[str, Any]:
    """Return the kind's example without the field at a place."""
    made = copy.deepcopy(example(place.kind))
    _parent(made, place).pop(place.path[-1], None)
    return made


def _parent(made: dict[str, Any], place: Place) -> Any:
    node: Any = made
    wanted: Type = place.kind.body
    for step in place.path[:-1]:
        if isinstance(wanted, Record):
            field = next(field for field in wanted.fields if field.name == step)
            wanted = field.type
            if not node.get(step):
                node[step] = sample(wanted)
        else:
            assert isinstance(wanted, ListOf)
            wanted = wanted.item
        node = node[step]
    return node


def assert_in_text(text: bytes, problems: tuple[Problem, ...]) -> None:
    """Assert that every problem says something and points into the text."""
    lines = text.decode("utf-8", errors="replace").split("\n")
    for problem in problems:
        assert problem.message
        name, line, column = problem.place.rsplit(":", 2)
        assert name == "f"
        assert 1 <= int(line) <= len(lines)
        assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1
