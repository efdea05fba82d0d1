"""Objects of everybody's kinds, read without places: Services, EndpointSlices, Nodes."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.config.fast.pieces import Outline, Piece
from orchestrator.config.fast.plain import DoubtError, Value, word_of
from orchestrator.config.fast.quick import Reader, faultless, reader_of
from orchestrator.config.fast.shapes import shape_of
from orchestrator.config.found import Found, home_of
from orchestrator.config.item import METADATA, Item
from orchestrator.config.kinds.registry import KINDS, OUR_GROUPS, kind_of
from orchestrator.config.schema import Field, Kind, Record, Values
from orchestrator.config.tree import Mark


class _Quick(NamedTuple):
    """A kind with its metadata and body in one record, and the reader of that."""

    record: Record
    read: Reader


def _quick(kind: Kind) -> _Quick:
    fields = (Field("metadata", METADATA, required=True), *kind.body.fields)
    record = Record(fields, kind.body.rules, kind.body.lenient)
    return _Quick(record, reader_of(record))


_SEEN_WHOLE = frozenset({"ConfigMap"})
"""Kinds whose objects may mean something for the document they are in."""


def reads_quickly(kind: Kind) -> bool:
    """Tell whether objects of a kind can be read one by one and without places."""
    return not kind.strict and not kind.annotations and kind.name not in _SEEN_WHOLE


_QUICK = {kind.name: _quick(kind) for kind in KINDS if reads_quickly(kind)}
_NOT_ALIKE = _SEEN_WHOLE | {kind.name for kind in KINDS if kind.strict}
"""Kinds whose objects have no shape in common, or are to be read with places anyway."""


def quick_object(piece: Piece, outline: Outline, position: int, *, trusted: bool) -> Found | None:
    """Read one object; None when it is of a kind that is not read.

    DoubtError for a kind of ours, and whenever something is not plainly good.
    """
    if piece.json:
        return _of_value(piece, piece.value(), outline, position, trusted=trusted)
    if _written_kind(piece) in _NOT_ALIKE:
        raise DoubtError
    shape, texts = shape_of(piece.text)
    kind = _kind_of(shape.word("apiVersion", texts), shape.word("kind", texts), outline)
    if kind is None:
        return None
    values = shape.read(kind.name, _QUICK[kind.name].record, texts)
    line, column = shape.root.mark
    mark = Mark(piece.line + line, column)
    return found_of(kind, values, mark, position, trusted=trusted)


def _written_kind(piece: Piece) -> str:
    """Return the word after `kind:` where it is usually written; empty when it is not there."""
    text, mark = piece.text, "\n  kind: " if piece.listed else "\nkind: "
    start = text.find(mark)
    if start < 0:
        mark = "- kind: " if piece.listed else "kind: "
        start = 0 if text.startswith(mark) else len(text)
    start += len(mark)
    return text[start : text.find("\n", start)]


def _of_value(
    piece: Piece, value: Value, outline: Outline, position: int, *, trusted: bool
) -> Found | None:
    kind = _kind_of(word_of(value, "apiVersion"), word_of(value, "kind"), outline)
    if kind is None:
        return None
    values = _QUICK[kind.name].read(value)
    return found_of(kind, values, piece.mark, position, trusted=trusted)


def _kind_of(api_version: str | None, name: str | None, outline: Outline) -> Kind | None:
    api_version, name = api_version or outline.api_version, name or outline.kind
    if api_version is None or name is None or (name.endswith("List") and not outline.is_list):
        raise DoubtError
    group, _, version = api_version.rpartition("/")
    kind = kind_of(group, version, name)
    if group in OUR_GROUPS or name in _SEEN_WHOLE or (kind is not None and name not in _QUICK):
        raise DoubtError
    return kind


def found_of(kind: Kind, values: Values, mark: Mark, position: int, *, trusted: bool) -> Found:
    """Build an object of its metadata and body in one record; DoubtError when it is not faultless."""
    metadata = values["metadata"]
    item = Item(
        name=metadata["name"],
        namespace=home_of(kind, metadata["namespace"]),
        labels=metadata["labels"],
        annotations=metadata["annotations"],
        created=metadata["creationTimestamp"],
        uid=metadata["uid"],
        settings={},
        body=values,
        trusted=trusted,
    )
    faults = faultless()
    draft = kind.build(item, faults)
    if faults.found:
        raise DoubtError
    return Found(
        kind,
        item.namespace,
        item.name,
        item.created,
        draft,
        (),
        mark,
        position,
        alone=True,
    )
