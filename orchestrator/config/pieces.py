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

from orchestrator.config.documents import MAX_DEPTH, UnreadableError, parse
from orchestrator.config.plain import DoubtError, Plain, Value, word_of
from orchestrator.config.tree import Mapping, Mark, Scalar, Sequence, Tree, is_null

_IN_LIST = 2
"""Collections around an object of a List."""
_ITEMS = re.compile(r"^items: *\n(?=- )", re.MULTILINE)
_ITEM = re.compile(r"^- ", re.MULTILINE)
_AFTER_ITEMS = re.compile(r"^(?![-# \n])", re.MULTILINE)
_JSON = re.compile(r"(?:---)?[ \t\n]*(?=\{)")
_BLANKS = re.compile(r"[ \t\n]*")
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML refuses, or takes for the end of a line."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Piece(NamedTuple):
    """The text of one object; `line` and `column` count from 0 and are those of its begin.

    `value` is what it says, where that is known already (JSON).
    """

    text: str
    line: int = 0
    column: int = 0
    listed: bool = False
    value: Value = None

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
        if self.listed and self.value is None:
            if not isinstance(root, Sequence) or len(root.items) != 1:
                raise DoubtError
            return root.items[0]
        if root is None:
            raise DoubtError
        return root


class Outline(NamedTuple):
    """The objects of a document, and what a List says of all of them."""

    pieces: list[Piece]
    api_version: str | None = None
    kind: str | None = None


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
        return _json_outline(text, start.end())
    items = _ITEMS.search(text)
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
    return Outline(pieces, api_version if member else None, member)


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


_SCAN = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Plain, parse_float=Plain, parse_constant=_no_number
).raw_decode


def _json_outline(text: str, start: int) -> Outline:
    if _SURROGATE.search(text):
        raise DoubtError
    try:
        root, spans, end = _json_root(text, start)
    except (ValueError, IndexError, RecursionError):
        raise DoubtError from None
    if _blanks(text, end) != len(text):
        raise DoubtError
    kind = word_of(root, "kind")
    if kind is None or not kind.endswith("List") or "items" not in root:
        return Outline([_json_piece(text, start, end, root)])
    values = root["items"]
    if not isinstance(values, list):
        raise DoubtError
    pieces = list(_json_items(text, spans, values))
    return _outline(pieces, word_of(root, "apiVersion"), kind)


Spans = list[tuple[int, int]]


def _json_root(text: str, at: int) -> tuple[dict[str, Value], Spans, int]:
    """Read an object member by member, noting where those of its list `items` are."""
    pairs: list[tuple[str, Value]] = []
    spans: Spans = []
    at = _blanks(text, at + 1)
    while text[at] != "}":
        key, at = _SCAN(text, at)
        at = _blanks(text, _after(text, _blanks(text, at), ":"))
        if key == "items" and text[at] == "[":
            value, at = _json_list(text, at, spans)
        else:
            value, at = _SCAN(text, at)
        pairs.append((key, value))
        at = _next(text, at, "}")
    return _object(pairs), spans, at + 1


def _json_list(text: str, at: int, spans: Spans) -> tuple[Value, int]:
    values: list[Value] = []
    at = _blanks(text, at + 1)
    while text[at] != "]":
        value, end = _SCAN(text, at)
        values.append(value)
        spans.append((at, end))
        at = _next(text, end, "]")
    return values, at + 1


def _next(text: str, at: int, last: str) -> int:
    """Go on to the next member, or to the end of the collection."""
    at = _blanks(text, at)
    if text[at] == last:
        return at
    at = _blanks(text, _after(text, at, ","))
    if text[at] == last:
        raise DoubtError
    return at


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found is not None
    return found.end()


def _after(text: str, at: int, sign: str) -> int:
    if text[at] != sign:
        raise DoubtError
    return at + 1


def _json_items(text: str, spans: Spans, values: list[Value]) -> Iterator[Piece]:
    line, before = 0, 0
    for (start, end), value in zip(spans, values, strict=True):
        line += text.count("\n", before, start)
        before = start
        yield _json_piece(text, start, end, value, line)


def _json_piece(text: str, start: int, end: int, value: Value, line: int | None = None) -> Piece:
    listed = line is not None
    if not isinstance(value, dict):
        raise DoubtError
    deepest = MAX_DEPTH - (_IN_LIST if listed else 0)
    opened = text.count("{", start, end) + text.count("[", start, end)
    if opened > deepest and _depth(value) > deepest:
        raise DoubtError
    if line is None:
        line = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    return Piece(text[start:end], line, column, listed, value)


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
