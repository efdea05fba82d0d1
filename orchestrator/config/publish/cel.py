"""Rules of a record as CEL, in the dialect of Kubernetes' x-kubernetes-validations.

An API server fills in only the defaults that a definition publishes, so an expression treats an
absent field as the reader does: it has its default there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.config.schema import (
    AtMost,
    AtMostOne,
    Boolean,
    Disjoint,
    ExactlyOne,
    Field,
    Holds,
    Integer,
    ListOf,
    MapOf,
    Record,
    Rule,
    Type,
)

_ESCAPED = frozenset(
    {"namespace", "in", "as", "break", "const", "continue", "else", "for", "function", "if"}
    | {"import", "let", "loop", "package", "return", "true", "false", "null", "var", "void"}
    | {"while"}
)
_ZEROS = ("", 0, (), None)


def validations(record: Record) -> Iterator[dict[str, str]]:
    """Rules of a record that CEL can say, each with what it says to a user."""
    fields = {field.name: field for field in record.fields}
    for rule in record.rules:
        expression = _expression(rule, fields)
        if expression:
            yield {"rule": expression, "message": words_of(rule)}


def words_of(rule: Rule) -> str:
    """Say a rule in words, names in backquotes."""
    match rule:
        case ExactlyOne():
            return f"exactly one of {_listed(rule.names)}"
        case AtMostOne():
            return f"at most one of {_listed(rule.names)}"
        case AtMost():
            return f"`{rule.smaller}` is at most `{rule.greater}`"
        case Disjoint():
            return f"`{rule.name}` and `{rule.other}` exclude each other"
        case Holds():
            return rule.words


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _expression(rule: Rule, fields: dict[str, Field]) -> str:
    match rule:
        case ExactlyOne():
            return f"{_number_given(rule.names, fields)} == 1"
        case AtMostOne():
            return f"{_number_given(rule.names, fields)} <= 1"
        case AtMost():
            return _at_most(fields[rule.smaller], fields[rule.greater])
        case Disjoint():
            other = _valued(fields[rule.other], rule.default)
            return f"!({_given(fields[rule.name], 'self')}) || {other} == {_literal(rule.default)}"
        case Holds():
            return rule.cel


def _number_given(names: Iterable[str], fields: dict[str, Field]) -> str:
    return " + ".join(f"({_given(fields[name], 'self')} ? 1 : 0)" for name in names)


def _at_most(smaller: Field, greater: Field) -> str:
    """Compare two numbers; durations and other texts have no order that CEL could see."""
    if not (isinstance(smaller.type, Integer) and isinstance(greater.type, Integer)):
        return ""
    missing = [
        f"!has({_path(field.name, 'self')})" for field in (smaller, greater) if _optional(field)
    ]
    comparison = f"{_valued(smaller, smaller.default)} <= {_valued(greater, greater.default)}"
    return " || ".join((*missing, comparison))


def _optional(field: Field) -> bool:
    return field.default is None and not field.required


def _valued(field: Field, default: Any) -> str:
    """Value of a field, its default when it is absent."""
    path = _path(field.name, "self")
    if field.required or default is None:
        return path
    return f"(has({path}) ? {path} : {_literal(default)})"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f"'{value}'"


def _path(name: str, parent: str) -> str:
    return f"{parent}.__{name}__" if name in _ESCAPED else f"{parent}.{name}"


def _given(field: Field, parent: str) -> str:
    """Tell whether a field counts as given; zero and empty do not (`schema.is_set`)."""
    path = _path(field.name, parent)
    test = _not_empty(field.type, path)
    return f"has({path})" + (f" && {test}" if test else "")


def _not_empty(wanted: Type, path: str) -> str:
    match wanted:
        case Integer():
            return f"{path} != 0"
        case Boolean():
            return path
        case ListOf() | MapOf():
            return f"size({path}) > 0"
        case Record():
            return _any_given(wanted, path)
        case _:
            return f"{path} != ''"


def _any_given(record: Record, path: str) -> str:
    """Test whether a field of a record counts as given; empty when one always does."""
    if any(field.required or field.default not in _ZEROS for field in record.fields):
        return ""
    inner = (f"({_given(field, path)})" for field in record.fields)
    return "(" + " || ".join(inner) + ")"
