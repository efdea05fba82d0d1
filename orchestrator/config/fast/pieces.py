"""A document cut into the texts of its objects, without parsing what is inside them.

`kubectl get -o yaml` gives one List of everything. Its objects are told apart by where their lines
begin (YAML) or end (JSON), so that each can be read by itself, and only what is wrong is parsed
with places. Whatever is not laid out in the usual way raises DoubtError: then the document is
parsed as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from orchestrator.config.documents import MAX_DEPTH, UnreadableError, parse
from orchestrator.config.fast.plain import DoubtError, Plain, Value, word_of
from orchestrator.config.tree import Mapping, Mark, Scalar, Sequence, Tree, is_null

_IN_LIST = 2
"""Collections around an object of a List."""
_ITEMS = re.compile(r"^items: *\n(?=- )", re.MULTILINE)
_ITEM = re.compile(r"^- ", re.MULTILINE)
_AFTER_ITEMS = re.compile(r"^(?![-# \n])", re.MULTILINE)
_JSON = re.compile(r"(?:---)?[ \t\n]*(?=\{)")
_BLANKS = b" \t\n"
_BEFORE_ITEMS = re.compile(rb'"items"[ \t\n]*:[ \t\n]*\[[ \t\n]*\Z')
_AFTER_JSON_ITEMS = re.compile(rb"[ \t\n]*\]")
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML refuses, or takes for the end of a line."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Piece(NamedTuple):
    """The text of one object; `line` and `column` count from 0 and are those of its begin."""

    text: str
    line: int = 0
    column: int = 0
    listed: bool = False
    json: bool = False

    @property
    def mark(self) -> Mark:
        """Return the place of the text in its document."""
        return Mark(self.line + 1, self.column + 1)

    def node(self) -> Tree:
        """Parse it with places; DoubtError when it cannot be by itself."""
        depth = _IN_LIST if self.listed else 0
        text = " " * self.column + self.text
        try:
            root = parse(text.encode(), first_line=self.line, depth=depth)
        except UnreadableError:
            raise DoubtError from None
        if self.listed and not self.json:
            if not isinstance(root, Sequence) or len(root.items) != 1:
                raise DoubtError
            return root.items[0]
        if root is None:
            raise DoubtError
        return root

    def value(self) -> Value:
        """Return what a piece of JSON says; DoubtError when that takes a closer look."""
        value = _json_value(self.text)
        deepest = MAX_DEPTH - (_IN_LIST if self.listed else 0)
        begun = self.text.count("{") + self.text.count("[")
        if begun > deepest and _depth(value) > deepest:
            raise DoubtError
        return value


class Outline(NamedTuple):
    """The objects of a document, and what a List says of all of them.

    A document that was not taken apart may be a List all the same, written in another way.
    """

    pieces: list[Piece]
    api_version: str | None = None
    kind: str | None = None
    is_list: bool = False


def outline_of(document: bytes) -> Outline:
    """Cut a document into its objects; DoubtError when that is not surely right."""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        raise DoubtError from None
    if "\r" in text or (_ODD.search(text) if not text.isascii() else "\x7f" in text):
        raise DoubtError
    start = _JSON.match(text)
    if start is not None:
        return _json_outline(document, text, len(text[: start.end()].encode()))
    items = _ITEMS.search(text) if "\nitems:" in text or text.startswith("items:") else None
    return Outline([Piece(text)]) if items is None else _yaml_outline(text, items)


def _yaml_outline(text: str, items: re.Match[str]) -> Outline:
    after = _AFTER_ITEMS.search(text, items.end())
    end = len(text) if after is None else after.start()
    try:
        root = parse((text[: items.end()] + text[end:]).encode())
    except UnreadableError:
        raise DoubtError from None
    if not isinstance(root, Mapping) or root.repeated or not is_null(root.entries["items"]):
        raise DoubtError
    kind = _word(root, "kind")
    if kind is None or not kind.endswith("List"):
        return Outline([Piece(text)])
    pieces = list(_yaml_items(text, items.end(), end))
    return _outline(pieces, _word(root, "apiVersion"), kind)


def _yaml_items(text: str, start: int, end: int) -> Iterator[Piece]:
    line = text.count("\n", 0, start)
    starts = [found.start() for found in _ITEM.finditer(text, start, end)]
    for begin, stop in zip(starts, [*starts[1:], end], strict=True):
        piece = text[begin:stop]
        yield Piece(piece, line, listed=True)
        line += piece.count("\n")


def _outline(pieces: list[Piece], api_version: str | None, kind: str) -> Outline:
    """Let the objects of a typed list (ServiceList) inherit what it says."""
    member = kind.removesuffix("List") or None
    return Outline(pieces, api_version if member else None, member, is_list=True)


def _word(node: Mapping, key: str) -> str | None:
    value = node.entries.get(key)
    return value.text if isinstance(value, Scalar) and value.text else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) or "<<" in found:
        raise DoubtError
    return found


def _no_number(text: str) -> Value:
    """Refuse Infinity and NaN, which are neither JSON nor the same in YAML."""
    del text
    raise DoubtError


_DECODE = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Plain, parse_float=Plain, parse_constant=_no_number
).decode


class _Listed(msgspec.Struct):
    """A List whose objects are only found, not looked into."""

    items: list[msgspec.Raw]


_LISTED = msgspec.json.Decoder(_Listed)


def _json_value(text: str) -> Value:
    try:
        value: Value = _DECODE(text)
    except (ValueError, RecursionError):
        raise DoubtError from None
    return value


def _json_outline(document: bytes, text: str, start: int) -> Outline:
    if _SURROGATE.search(text):
        raise DoubtError
    try:
        items = _LISTED.decode(document[start:]).items
    except (msgspec.DecodeError, RecursionError):
        items = []
    if not items:
        return Outline([_json_piece(document, start, len(document.rstrip()))])
    spans = _spans(document, start, [bytes(item) for item in items])
    root = _json_value((document[start : spans[0][0]] + document[spans[-1][1] :]).decode())
    kind = word_of(root, "kind")
    if not isinstance(root, dict) or root["items"] != [] or not kind or not kind.endswith("List"):
        raise DoubtError
    return _outline(list(_json_items(document, spans)), word_of(root, "apiVersion"), kind)


Spans = list[tuple[int, int]]


def _spans(document: bytes, start: int, items: list[bytes]) -> Spans:
    """Find where the objects are; DoubtError unless nothing but commas is between them."""
    end = document.find(items[0], start)
    if not _BEFORE_ITEMS.search(document, start, end):
        raise DoubtError
    spans: Spans = []
    for item in items:
        begin = document.find(item, end)
        if spans and document[end:begin].strip(_BLANKS) != b",":
            raise DoubtError
        end = begin + len(item)
        spans.append((begin, end))
    if not _AFTER_JSON_ITEMS.match(document, end):
        raise DoubtError
    return spans


def _json_items(document: bytes, spans: Spans) -> Iterator[Piece]:
    line, before = 0, 0
    for start, end in spans:
        line += document.count(b"\n", before, start)
        before = start
        yield _json_piece(document, start, end, line)


def _json_piece(document: bytes, start: int, end: int, line: int | None = None) -> Piece:
    listed = line is not None
    if line is None:
        line = document.count(b"\n", 0, start)
    column = len(document[document.rfind(b"\n", 0, start) + 1 : start].decode())
    return Piece(document[start:end].decode(), line, column, listed, json=True)


def _depth(value: Value) -> int:
    """Count the collections inside each other."""
    depth = 0
    level: list[Any] = [value]
    while level:
        depth += 1
        level = [
            inner
            for collection in level
            for inner in (collection.values() if isinstance(collection, dict) else collection)
            if isinstance(inner, dict | list)
        ]
    return depth
