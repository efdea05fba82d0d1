"""Objects as an API server sends them: decoded straight into what a kind's `build` wants.

Only the declared fields are decoded, by structs that are made of the declarations; everything else
of an object (managedFields, status of others) is passed over. What is not plainly good is left to
the reader that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from orchestrator.config.fast.objects import found_of, reads_quickly
from orchestrator.config.fast.plain import DoubtError
from orchestrator.config.found import Found
from orchestrator.config.item import METADATA
from orchestrator.config.kinds.registry import KINDS
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Field,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Record,
    Text,
    Type,
)
from orchestrator.config.tree import Mark

_BEGINNING = Mark(1, 1)
_DEFAULTS: dict[type, dict[str, Any]] = {}


class Fields(msgspec.Struct, frozen=True, gc=False):
    """A record's values by name; those that are absent or null are their defaults."""

    def __getitem__(self, name: str) -> Any:
        value = getattr(self, name)
        return _DEFAULTS[type(self)][name] if value is None else value


def _type_of(wanted: Type) -> Any:
    return _TYPES[type(wanted)](wanted)


def _text(wanted: Text) -> Any:
    pattern = None if wanted.pattern is None else f"^(?:{wanted.pattern.pattern})$"
    limits = msgspec.Meta(
        min_length=wanted.min_length, max_length=wanted.max_length, pattern=pattern
    )
    return Annotated[str, limits]


def _integer(wanted: Integer) -> Any:
    return Annotated[int, msgspec.Meta(ge=wanted.minimum, le=wanted.maximum)]


def _list(wanted: ListOf) -> Any:
    limits = msgspec.Meta(min_length=wanted.min_items, max_length=wanted.max_items)
    item: Any = _type_of(wanted.item)
    return Annotated[tuple[item, ...], limits]


def _map(wanted: MapOf) -> Any:
    value: Any = _type_of(wanted.value)
    return dict[str, value]


def _struct_of(record: Record) -> Any:
    assert record.lenient
    assert not record.rules
    fields = [_field_of(field) for field in record.fields]
    made = msgspec.defstruct("Fields", fields, bases=(Fields,), frozen=True, gc=False)
    _DEFAULTS[made] = {field.name: field.default for field in record.fields}
    return made


_TYPES: dict[type, Callable[[Any], Any]] = {
    Text: _text,
    Integer: _integer,
    Boolean: lambda _: bool,
    Choice: lambda wanted: Literal[wanted.values],
    ListOf: _list,
    MapOf: _map,
    Record: _struct_of,
}


def _field_of(field: Field) -> Any:
    wanted = _type_of(field.type)
    return (field.name, wanted) if field.required else (field.name, wanted | None, None)


def _decoder(kind: Kind) -> msgspec.json.Decoder[Any]:
    fields = (Field("metadata", METADATA, required=True), *kind.body.fields)
    return msgspec.json.Decoder(_struct_of(Record(fields, lenient=True)))


_DECODERS = {kind.name: _decoder(kind) for kind in KINDS if reads_quickly(kind)}


def read_wire(kind: Kind, text: bytes) -> Found | None:
    """Read an object of everybody's kinds; None for what has to be read with places."""
    decoder = _DECODERS.get(kind.name)
    if decoder is None:
        return None
    try:
        return found_of(kind, decoder.decode(text), _BEGINNING, 0, trusted=False)
    except (msgspec.MsgspecError, DoubtError):
        return None
