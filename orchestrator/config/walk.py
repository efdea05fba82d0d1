"""Reads a tree by its schema: values with defaults, and a fault for everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from orchestrator.config.faults import Faults, shown
from orchestrator.config.partial import check_rules, good_part
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Field,
    Integer,
    ListOf,
    MapOf,
    Opaque,
    Parsed,
    Record,
    Text,
    Type,
)
from orchestrator.config.tree import Mapping, Mark, Path, Scalar, Sequence, Tree, is_null, noun_of

FAULTY: Final = object()
"""Stands for a value that could not be read; a fault says why."""

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_MAX_DIGITS = 20


def read_value(wanted: Type, node: Tree, path: Path, faults: Faults) -> Any:
    """Value of `node` as type `wanted`, or FAULTY."""
    return _READERS[type(wanted)](wanted, node, path, faults)


def read_record(record: Record, node: Tree, path: Path, faults: Faults) -> Any:
    """Values of a mapping by field name, or FAULTY when it is none.

    A field that is faulty has the value FAULTY. A rule is looked at only when the fields it is about
    are good, so that one mistake is reported once.
    """
    if not isinstance(node, Mapping):
        return _wrong_type(record.words, node, path, faults)
    before = len(faults.found)
    _refuse_repeated(node, path, faults)
    if not record.lenient:
        _refuse_unknown([field.name for field in record.fields], node, path, faults)
    values = {field.name: _field(field, node, path, faults) for field in record.fields}
    if record.rules:
        check_rules(record.rules, good_part(values, path, faults.found[before:]), path, faults)
    return values


def read_text(field: Field, text: str, path: Path, faults: Faults) -> Any:
    """Meaning of an annotation's text as the type of `field`, or FAULTY."""
    plain = isinstance(field.type, Integer | Boolean)
    return read_value(field.type, Scalar(text, plain, Mark(1, 1)), path, faults)


def _field(field: Field, node: Mapping, path: Path, faults: Faults) -> Any:
    value = node.entries.get(field.name)
    here = (*path, field.name)
    if value is None or is_null(value):
        if field.required:
            faults.add(here, f"{field.name} is missing", "missingField")
        return field.default
    if field.secret:
        return _secret(field, value, here, faults)
    return read_value(field.type, value, here, faults)


def _secret(field: Field, value: Tree, path: Path, faults: Faults) -> Any:
    """Read a value that no message may show."""
    hidden = Faults(lambda: value)
    result = read_value(field.type, value, (), hidden)
    if hidden.errors:
        faults.add(path, f"wants {field.type.words}", "invalidValue", hint=hidden.found[0].hint)
        return FAULTY
    return result


def _refuse_repeated(node: Mapping, path: Path, faults: Faults) -> None:
    for key, mark in node.repeated:
        first = node.marks[key].line
        message = f"key {shown(key)} is given twice, first in line {first} of this document"
        faults.at((*path, key), mark, message, "duplicateKey", "remove one of them")


def _refuse_unknown(known: Iterable[str], node: Mapping, path: Path, faults: Faults) -> None:
    names = list(known)
    for key in node.entries:
        if key not in names:
            hint = nearest(key, names)
            message = f"unknown field {shown(key)}"
            faults.at((*path, key), node.marks[key], message, "unknownField", hint)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Suggest the known word that `word` may have been meant to be."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {names[close[0]]}?" if close else None


def _wrong_type(words: str, node: Tree, path: Path, faults: Faults) -> Any:
    noun = noun_of(node)
    hint = "put it in quotes" if noun in ("a number", "a boolean") and "text" in words else None
    faults.add(path, f"wants {words}, not {noun}", "wrongType", hint=hint)
    return FAULTY


def _invalid(message: str, path: Path, faults: Faults) -> Any:
    faults.add(path, message, "invalidValue")
    return FAULTY


def _is_text(node: Tree) -> bool:
    return isinstance(node, Scalar) and (not node.plain or noun_of(node) == "text")


def _text(wanted: Text, node: Tree, path: Path, faults: Faults) -> Any:
    if not _is_text(node):
        return _wrong_type(_as_text(wanted.words), node, path, faults)
    assert isinstance(node, Scalar)
    if not wanted.min_length <= len(node.text) <= wanted.max_length:
        limits = f"{wanted.min_length} to {wanted.max_length} characters"
        return _invalid(f"wants {limits}, has {len(node.text)}", path, faults)
    if wanted.pattern is not None and not wanted.pattern.fullmatch(node.text):
        return _invalid(f"{shown(node.text)} is not {wanted.words}", path, faults)
    return node.text


def _as_text(words: str) -> str:
    return words if "text" in words else f"{words} as text"


def _integer(wanted: Integer, node: Tree, path: Path, faults: Faults) -> Any:
    number = _number(node)
    if number is None:
        return _wrong_type(wanted.words, node, path, faults)
    if not wanted.minimum <= number <= wanted.maximum:
        return _invalid(f"{number} is not {wanted.words}", path, faults)
    return number


def _number(node: Tree) -> int | None:
    """Integer of a plain scalar in YAML 1.1's notations but base 60; None when it is none."""
    if not isinstance(node, Scalar) or not node.plain or len(node.text) > _MAX_DIGITS:
        return None
    digits = node.text.replace("_", "")
    octal = digits.lstrip("+-")
    try:
        if len(octal) > 1 and octal.startswith("0") and octal.isdigit():
            return int(digits, 8)
        return int(digits, 0) if digits.isascii() else None
    except ValueError:
        return None


def _boolean(wanted: Boolean, node: Tree, path: Path, faults: Faults) -> Any:
    word = node.text if isinstance(node, Scalar) and node.plain else ""
    if word in (word.lower(), word.title(), word.upper()):
        if word.lower() in _TRUE:
            return True
        if word.lower() in _FALSE:
            return False
    return _wrong_type(wanted.words, node, path, faults)


def _choice(wanted: Choice, node: Tree, path: Path, faults: Faults) -> Any:
    if not isinstance(node, Scalar) or not _is_text(node):
        return _wrong_type(_as_text(wanted.words), node, path, faults)
    if node.text not in wanted.values:
        hint = nearest(node.text, wanted.values)
        faults.add(path, f"{shown(node.text)} is not {wanted.words}", "invalidValue", hint=hint)
        return FAULTY
    return node.text


def _parsed(wanted: Parsed, node: Tree, path: Path, faults: Faults) -> Any:
    if not isinstance(node, Scalar) or not _is_text(node):
        return _wrong_type(_as_text(wanted.words), node, path, faults)
    try:
        return wanted.parse(node.text)
    except ValueError as error:
        return _invalid(f"{shown(node.text)} is not {wanted.words}: {error}", path, faults)


def _list(wanted: ListOf, node: Tree, path: Path, faults: Faults) -> Any:
    if not isinstance(node, Sequence):
        return _wrong_type(wanted.words, node, path, faults)
    if not wanted.min_items <= len(node.items) <= wanted.max_items:
        limits = f"{wanted.min_items} to {wanted.max_items} items"
        return _invalid(f"wants {limits}, has {len(node.items)}", path, faults)
    items = [
        read_value(wanted.item, item, (*path, index), faults)
        for index, item in enumerate(node.items)
    ]
    if wanted.unique:
        _refuse_equal(items, wanted.identity, path, faults)
    return tuple(item for item in items if item is not FAULTY)


def _refuse_equal(
    items: list[Any], identity: Callable[[Any], Any], path: Path, faults: Faults
) -> None:
    same = [item if item is FAULTY else identity(item) for item in items]
    for index, item in enumerate(same):
        first = same.index(item)
        if item is not FAULTY and first < index:
            message = f"is the same as item {first}; each may be listed once"
            faults.add((*path, index), message, "duplicateItem", hint="remove it")


def _map(wanted: MapOf, node: Tree, path: Path, faults: Faults) -> Any:
    if not isinstance(node, Mapping):
        return _wrong_type(wanted.words, node, path, faults)
    _refuse_repeated(node, path, faults)
    values: dict[str, Any] = {}
    for key, item in node.entries.items():
        here = (*path, key)
        if wanted.key.pattern is not None and not wanted.key.pattern.fullmatch(key):
            faults.at(here, node.marks[key], f"{shown(key)} is not {wanted.key.words}", "badKey")
        if not is_null(item):
            value = read_value(wanted.value, item, here, faults)
            values[key] = "" if value is FAULTY else value
    return values


def _opaque(wanted: Opaque, node: Tree, path: Path, faults: Faults) -> Any:
    del wanted, node, path, faults


_READERS: dict[type, Callable[[Any, Tree, Path, Faults], Any]] = {
    Text: _text,
    Integer: _integer,
    Boolean: _boolean,
    Choice: _choice,
    Parsed: _parsed,
    ListOf: _list,
    MapOf: _map,
    Opaque: _opaque,
    Record: read_record,
}
