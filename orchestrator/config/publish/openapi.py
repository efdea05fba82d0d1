"""Types of the schema as OpenAPI v3, as a CustomResourceDefinition takes it.

The API server then refuses what the reader refuses, as far as it can know: what a text means
(addresses, ranges, communities) and how objects fit together is for the reader alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.config.publish.cel import validations
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
from orchestrator.config.selectors import SELECTOR

Schema = dict[str, Any]

_INT64 = 2**63 - 1
_INT32 = 2**31 - 1
_IMMUTABLE = {"rule": "self == oldSelf", "message": "cannot be changed"}


@dataclass(frozen=True, slots=True)
class Extras:
    """What a definition has besides the schema; paths are such as `spec.peerPort`.

    `written` are the fields whose defaults the server writes into objects; None means all but
    zeros and empty ones. `immutable` are fields that keep their first value. `atomic` are mappings
    that have one owner under server-side apply.
    """

    written: frozenset[str] | None = None
    immutable: frozenset[str] = frozenset()
    atomic: frozenset[str] = frozenset()


def properties(record: Record, extras: Extras, prefix: str = "") -> Schema:
    """Return the OpenAPI schema of a record."""
    schema: Schema = {"type": "object"}
    fields = {field.name: _field(field, extras, prefix) for field in record.fields}
    if fields:
        schema["properties"] = fields
    required = [field.name for field in record.fields if field.required]
    if required:
        schema["required"] = required
    if record is SELECTOR or prefix.removesuffix(".") in extras.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    rules = list(validations(record))
    if rules:
        schema["x-kubernetes-validations"] = rules
    return schema


def _field(field: Field, extras: Extras, prefix: str) -> Schema:
    path = f"{prefix}{field.name}"
    schema: Schema = {"description": field.doc} if field.doc else {}
    schema.update(_schema(field.type, extras, path))
    default = _default(field, path, extras)
    if default is not None:
        schema["default"] = default
    if path in extras.immutable:
        schema["x-kubernetes-validations"] = [_IMMUTABLE]
    return schema


def _default(field: Field, path: str, extras: Extras) -> Any:
    """Return the default as it is written in an object, None when the server is to write none."""
    value = field.default
    if not isinstance(value, str | int) or (extras.written is None and not value):
        return None
    if extras.written is not None and path not in extras.written:
        return None
    return value


def _schema(wanted: Type, extras: Extras, path: str) -> Schema:
    if isinstance(wanted, Record):
        return properties(wanted, extras, f"{path}.")
    if isinstance(wanted, ListOf):
        return _list(wanted, extras, path)
    if isinstance(wanted, MapOf):
        return {
            "type": "object",
            "additionalProperties": _schema(wanted.value, extras, f"{path}.*"),
        }
    return _SCALARS[type(wanted)](wanted)


def _list(wanted: ListOf, extras: Extras, path: str) -> Schema:
    schema: Schema = {"type": "array"}
    if wanted.min_items:
        schema["minItems"] = wanted.min_items
    schema["maxItems"] = wanted.max_items
    items = schema["items"] = _schema(wanted.item, extras, f"{path}[].".removesuffix("."))
    if wanted.unique:
        schema["x-kubernetes-list-type"] = "set"
        if items["type"] == "object":
            items["x-kubernetes-map-type"] = "atomic"
    return schema


def _text(wanted: Text) -> Schema:
    schema: Schema = {"type": "string", "maxLength": wanted.max_length}
    if wanted.min_length:
        schema["minLength"] = wanted.min_length
    if wanted.pattern is not None:
        schema["pattern"] = f"^(?:{_as_re2(wanted.pattern)})$"
    return schema


def _as_re2(pattern: re.Pattern[str]) -> str:
    """Write a pattern as Go's RE2 takes it; ours use nothing that the two do not share."""
    return pattern.pattern


def _integer(wanted: Integer) -> Schema:
    size = "int32" if wanted.minimum >= -_INT32 - 1 and wanted.maximum <= _INT32 else "int64"
    schema = {"type": "integer", "format": size, "minimum": wanted.minimum}
    # The server holds limits as floats: the largest int64 rounds to a number that is none.
    return schema if wanted.maximum == _INT64 else {**schema, "maximum": wanted.maximum}


def _boolean(wanted: Boolean) -> Schema:
    del wanted
    return {"type": "boolean"}


def _choice(wanted: Choice) -> Schema:
    return {"type": "string", "enum": list(wanted.values)}


def _parsed(wanted: Parsed) -> Schema:
    del wanted
    return {"type": "string"}


def _opaque(wanted: Opaque) -> Schema:
    del wanted
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


_SCALARS: Mapping[type, Callable[[Any], Schema]] = {
    Text: _text,
    Integer: _integer,
    Boolean: _boolean,
    Choice: _choice,
    Parsed: _parsed,
    Opaque: _opaque,
}
