"""Documentation of the kinds, made from their declarations."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.kinds.registry import KINDS, OUR_GROUPS
from orchestrator.config.publish.cel import words_of
from orchestrator.config.schema import (
    Field,
    Kind,
    ListOf,
    MapOf,
    Opaque,
    Record,
    Text,
    Type,
)
from orchestrator.config.selectors import SELECTOR, SELECTOR_V1BETA1

_SELECTORS = (SELECTOR, SELECTOR_V1BETA1)
_HEAD = ("| field | type | default | meaning |", "|---|---|---|---|")


def reference() -> str:
    """Return the reference of all kinds of our groups, in Markdown."""
    ours = (kind for kind in KINDS if kind.group in OUR_GROUPS)
    return "\n".join(line for kind in ours for line in _kind(kind)).strip()


def with_reference(page: str) -> str:
    """Return a page with what stands between its markers made anew.

    A part is what is between `<!-- begin NAME -->` and `<!-- end NAME -->`.
    """
    parts = {"kinds": kinds_table(), "reference": reference(), "selector": selector_table()}
    for name, text in parts.items():
        before, rest = page.split(f"<!-- begin {name} -->\n", 1)
        _, after = rest.split(f"<!-- end {name} -->\n", 1)
        page = f"{before}<!-- begin {name} -->\n{text}\n<!-- end {name} -->\n{after}"
    return page


def kinds_table() -> str:
    """Return a table of all kinds that are read."""
    head = ("| kind | apiVersion | what it is |", "|---|---|---|")
    rows = (f"| {kind.name} | {_versions(kind)} | {kind.doc} |" for kind in KINDS)
    return "\n".join((*head, *rows))


def _versions(kind: Kind) -> str:
    prefix = f"{kind.group}/" if kind.group else ""
    return ", ".join(f"{prefix}{version}" for version in kind.versions)


def selector_table() -> str:
    """Return the table of a label selector's fields."""
    return "\n".join((*_HEAD, *_rows(SELECTOR, "")))


def _kind(kind: Kind) -> Iterator[str]:
    yield f"### {kind.name} ({kind.group}/{kind.versions[0]})"
    yield ""
    yield kind.doc
    yield ""
    yield from _HEAD
    yield from _rows(kind.body, "")
    yield from (_row(field, f"annotation {field.name}") for field in kind.annotations)
    yield ""
    rules = list(_rules(kind.body))
    if rules:
        yield "Rules: " + "; ".join(rules) + "."
        yield ""
    yield from ("```yaml", kind.example.rstrip(), "```", "")


def _rows(record: Record, prefix: str) -> Iterator[str]:
    for field in record.fields:
        if isinstance(field.type, Opaque):
            continue
        name = f"{prefix}{field.name}"
        inner, suffix = _inner(field.type)
        if name != "spec":
            yield _row(field, f"{name}{suffix}")
        if inner is not None and inner not in _SELECTORS:
            yield from _rows(inner, f"{name}{suffix}.")


def _inner(wanted: Type) -> tuple[Record | None, str]:
    """Find the record inside a type, and how its path goes on."""
    if isinstance(wanted, Record):
        return wanted, ""
    if isinstance(wanted, ListOf):
        return (wanted.item if isinstance(wanted.item, Record) else None), "[]"
    return None, ""


def _row(field: Field, name: str) -> str:
    words = with_limits(field.type).replace("|", "\\|")
    return f"| `{name}` | {words} | {_default(field)} | {field.doc} |"


def with_limits(wanted: Type) -> str:
    """Return a type in words, with its limits of length."""
    match wanted:
        case ListOf():
            limits = f"{wanted.min_items} to {wanted.max_items}" if wanted.min_items else ""
            once = ", none twice" if wanted.unique else ""
            number = limits or f"up to {wanted.max_items}"
            return f"a list of {number}{once} (each: {with_limits(wanted.item)})"
        case Text(pattern=None):
            least = f"{wanted.min_length} to " if wanted.min_length else "up to "
            return f"{wanted.words}, {least}{wanted.max_length} characters"
        case MapOf():
            return f"a mapping to {with_limits(wanted.value)}"
        case _:
            return wanted.words


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default in (None, "", ()) or isinstance(field.default, dict):
        return ""
    if isinstance(field.default, bool):
        return "true" if field.default else "false"
    return str(field.default)


def _rules(record: Record) -> Iterator[str]:
    yield from (words_of(rule) for rule in record.rules)
    for field in record.fields:
        inner, _ = _inner(field.type)
        if inner is not None and inner not in _SELECTORS:
            yield from _rules(inner)
