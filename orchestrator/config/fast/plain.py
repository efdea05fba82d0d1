"""Values of a document without places: what is read at first, as long as nothing is wrong.

Trees with a place for every value cost most of the time of reading. Text that turns out to need
one is parsed once more.
"""

from __future__ import annotations

from typing import TypeAlias

from orchestrator.config.tree import Scalar, Sequence, Tree, looks_numeric

Value: TypeAlias = dict[str, "Value"] | list["Value"] | str | bool | None
"""A value; a scalar that is certainly text is `str`, null is None."""


class Plain(str):
    """A scalar without quotes that may be something else than text: a number, a boolean."""

    __slots__ = ()


class DoubtError(Exception):
    """Something here has to be looked at with its place, or is beyond the fast path."""


_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_OPEN_STARTS = frozenset("0123456789+-.")
_OPEN_WORDS = _NULLS | frozenset(
    written
    for word in ("true", "false", "yes", "no", "on", "off")
    for written in (word, word.title(), word.upper())
)


def surely_text(text: str) -> bool:
    """Tell whether a scalar without quotes cannot be anything but text."""
    return text not in _OPEN_WORDS and text[0] not in _OPEN_STARTS


def of_plain(text: str) -> Value:
    """Return a scalar that was written without quotes."""
    if text in _NULLS:
        return None
    return text if surely_text(text) else Plain(text)


def of_tree(node: Tree) -> Value:
    """Return a tree's value without places; DoubtError when a key is given twice."""
    if isinstance(node, Scalar):
        return of_plain(node.text) if node.plain else node.text
    if isinstance(node, Sequence):
        return [of_tree(item) for item in node.items]
    if node.repeated:
        raise DoubtError
    return {key: of_tree(value) for key, value in node.entries.items()}


def as_text(value: Value) -> str:
    """Return a scalar as text; DoubtError when it is none, or YAML takes it for something else."""
    if not isinstance(value, str):
        raise DoubtError
    if value.__class__ is str:
        return value
    if looks_numeric(value) or value in _LITERALS:
        raise DoubtError
    return str(value)


_LITERALS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})


def word_of(value: Value, key: str) -> str | None:
    """Return the text of a scalar in a mapping, None when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return str(found) if isinstance(found, str) and found else None
