"""Scalars as the strict YAML of MetalLB v0.9 to v0.12 takes them.

Where its format declares text, a number or a boolean without quotes was text too, and an empty
item of a list of mappings was an empty mapping.
"""

from __future__ import annotations

from orchestrator.config.schema import Choice, ListOf, MapOf, Parsed, Record, Text, Type
from orchestrator.config.tree import Mapping, Scalar, Sequence, Tree, is_null


def as_declared(wanted: Type, node: Tree) -> Tree:
    """Copy a tree in which plain scalars are text wherever the schema declares text."""
    if isinstance(node, Scalar):
        if isinstance(wanted, Record) and is_null(node):
            return Mapping({}, {}, [], node.mark)
        textual = isinstance(wanted, Text | Choice | Parsed) and not is_null(node)
        return node._replace(plain=False) if textual else node
    if isinstance(node, Sequence):
        if not isinstance(wanted, ListOf):
            return node
        return node._replace(items=[as_declared(wanted.item, item) for item in node.items])
    types = _types(wanted, node)
    entries = {
        key: as_declared(types[key], value) if key in types else value
        for key, value in node.entries.items()
    }
    return node._replace(entries=entries)


def _types(wanted: Type, node: Mapping) -> dict[str, Type]:
    if isinstance(wanted, Record):
        return {field.name: field.type for field in wanted.fields}
    return dict.fromkeys(node.entries, wanted.value) if isinstance(wanted, MapOf) else {}
