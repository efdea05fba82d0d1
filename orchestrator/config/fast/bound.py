"""Readers bound to a tree some of whose scalars are open: what is fixed is read only once.

A bound reader takes the texts of the open scalars and returns what `quick` returns for the tree
with these texts in it. Parts without an open scalar are read when the reader is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from orchestrator.config import tree
from orchestrator.config.fast.plain import DoubtError, of_plain, of_tree, surely_text
from orchestrator.config.fast.quick import Reader, reader_of, refuse_equal
from orchestrator.config.schema import Field, ListOf, MapOf, Opaque, Record, Text, Type
from orchestrator.config.tree import Mark, Tree

Texts: TypeAlias = Sequence[str]
Bound: TypeAlias = Callable[[Texts], Any]
Slots: TypeAlias = Mapping[Mark, int]
"""The open scalars of a tree: place -> which of the texts."""
QUOTES = "'\""
"""Texts come as they are written: what begins with one of these also ends with it."""
LITERAL = "{"
"""What begins so is the only line of a literal text, which ends with its line."""


def bound(wanted: Type, node: Tree, slots: Slots) -> Bound:
    """Return the reader of `node` as `wanted`; DoubtError when it never could be good.

    The reader returns None for null.
    """
    if isinstance(wanted, Opaque):
        return _always(None)
    if isinstance(node, tree.Scalar):
        return _scalar(wanted, node, slots)
    if isinstance(node, tree.Sequence):
        return _list(wanted, node, slots)
    if node.repeated:
        raise DoubtError
    if isinstance(wanted, MapOf):
        return _map(wanted, node, slots)
    if isinstance(wanted, Record):
        return _record(wanted, node, slots)
    raise DoubtError


def _always(value: Any) -> Bound:
    return lambda _: value


def _scalar(wanted: Type, node: tree.Scalar, slots: Slots) -> Bound:
    read = reader_of(wanted)
    slot = slots.get(node.mark)
    if slot is None:
        value = of_tree(node)
        return _always(None if value is None else read(value))

    if isinstance(wanted, Text):
        return _open_text(wanted, read, slot)

    def read_open(texts: Texts) -> Any:
        text = texts[slot]
        if text[0] in QUOTES:
            return read(text[1:-1])
        if text[0] == LITERAL:
            return read(f"{text}\n")
        value = of_plain(text)
        return None if value is None else read(value)

    return read_open


def _open_text(wanted: Text, read: Reader, slot: int) -> Bound:
    """Read what is nearly always plain text of a good length with fewer steps."""
    shortest, longest = wanted.min_length, wanted.max_length
    matches = None if wanted.pattern is None else wanted.pattern.fullmatch

    def read_text(texts: Texts) -> Any:
        text = texts[slot]
        if text[0] in QUOTES:
            text = text[1:-1]
        elif text[0] == LITERAL:
            text = f"{text}\n"
        elif not surely_text(text):
            value = of_plain(text)
            return None if value is None else read(value)
        if not shortest <= len(text) <= longest or (matches is not None and not matches(text)):
            raise DoubtError
        return text

    return read_text


def _list(wanted: Type, node: tree.Sequence, slots: Slots) -> Bound:
    if not isinstance(wanted, ListOf):
        raise DoubtError
    if not wanted.min_items <= len(node.items) <= wanted.max_items:
        raise DoubtError
    readers = [bound(wanted.item, item, slots) for item in node.items]

    def read(texts: Texts) -> tuple[Any, ...]:
        items = tuple([reader(texts) for reader in readers])
        if None in items:
            raise DoubtError
        if wanted.unique:
            refuse_equal(items, wanted.identity)
        return items

    return read


def _map(wanted: MapOf, node: tree.Mapping, slots: Slots) -> Bound:
    pattern = wanted.key.pattern
    if not isinstance(wanted.value, Text):
        raise DoubtError
    if pattern is not None and not all(pattern.fullmatch(key) for key in node.entries):
        raise DoubtError
    readers = [(key, bound(wanted.value, item, slots)) for key, item in node.entries.items()]

    def read(texts: Texts) -> dict[str, Any]:
        found = ((key, reader(texts)) for key, reader in readers)
        return {key: value for key, value in found if value is not None}

    return read


def _record(wanted: Record, node: tree.Mapping, slots: Slots) -> Bound:
    names = {field.name for field in wanted.fields}
    if not wanted.lenient and not node.entries.keys() <= names:
        raise DoubtError
    readers = [
        (field.name, field, bound(field.type, node.entries[field.name], slots))
        for field in wanted.fields
        if field.name in node.entries
    ]
    absent = [field for field in wanted.fields if field.name not in node.entries]
    if any(field.required for field in absent):
        raise DoubtError
    defaults = {field.name: field.default for field in absent}
    rules = wanted.rules

    def read(texts: Texts) -> dict[str, Any]:
        values = defaults.copy()
        for name, field, reader in readers:
            value = reader(texts)
            values[name] = _or_default(field) if value is None else value
        if rules and any(rule.check(values) is not None for rule in rules):
            raise DoubtError
        return values

    return read


def _or_default(field: Field) -> Any:
    if field.required:
        raise DoubtError
    return field.default
