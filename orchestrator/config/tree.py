"""The tree of a YAML document: scalars as written, with the place of every value.

Scalars stay text until a schema says what they are to be, so that `64512:1` or `on` means what the
field declares (CLI.md, reading rules).
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Field names and list indices from the object down: `("spec", "addresses", 2)`."""

_NUMBER = re.compile(
    r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)"
    r"|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NUMBER_STARTS = frozenset("0123456789+-.")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LITERAL_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})


class Mark(NamedTuple):
    """A place in a text; both numbers count from 1."""

    line: int
    column: int


class Scalar(NamedTuple):
    """A scalar; `plain` when it was written without quotes or tag, so its type is open."""

    text: str
    plain: bool
    mark: Mark


class Sequence(NamedTuple):
    """A list of values."""

    items: list[Tree]
    mark: Mark


class Mapping(NamedTuple):
    """Values by key. `marks` are the places of the keys, `repeated` keys that came again."""

    entries: dict[str, Tree]
    marks: dict[str, Mark]
    repeated: list[tuple[str, Mark]]
    mark: Mark


Tree: TypeAlias = Scalar | Sequence | Mapping


def is_null(node: Tree) -> bool:
    """Tell whether a value is YAML's null, which means the same as leaving the field out."""
    return isinstance(node, Scalar) and node.plain and node.text in _NULLS


def noun_of(node: Tree) -> str:
    """Say what a value is, in words for a message about a wrong type."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return _noun_of_scalar(node)


def _noun_of_scalar(node: Scalar) -> str:
    if not node.plain:
        return "text"
    if node.text in _NULLS:
        return "nothing"
    if node.text in _LITERAL_BOOLEANS:
        return "a boolean"
    if looks_numeric(node.text):
        return "a number"
    return "text"


def looks_numeric(text: str) -> bool:
    """Tell whether YAML takes the plain scalar `text` for a number (never one of base 60)."""
    return text[:1] in _NUMBER_STARTS and _NUMBER.fullmatch(text) is not None


def locate(root: Tree, path: Path) -> Mark:
    """Place of the value at `path`, or of the nearest thing above it that is there.

    For a field of a mapping it is the value's place; for one that has no value of its own (an
    empty scalar) its key's.
    """
    node, mark = root, root.mark
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
            key_mark, node = node.marks[step], node.entries[step]
            mark = key_mark if is_null(node) else node.mark
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            mark = node.mark
        else:
            break
    return mark


def text_of(path: Path) -> str:
    """Write a path as people do: `spec.addresses[2]`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")
