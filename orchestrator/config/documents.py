"""Text to document trees: splits a YAML stream and parses each document by itself.

A faulty document is one fault at its place; those before and after it are still read. Nothing is
constructed from tags, and size, depth and the expansion of aliases have limits (DESIGN 13).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from orchestrator.config.tree import Mapping, Mark, Scalar, Sequence, Tree

MAX_BYTES = 64 * 1024 * 1024
"""Longest text that is read: 10,000 Services with EndpointSlices need about 20 MB."""
MAX_DEPTH = 64
"""Deepest nesting; Kubernetes objects stay below 20."""
MAX_EXPANDED = 100_000
"""Values that aliases may add to a document beyond what is written in it."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_START = Mark(1, 1)
_MARKER = re.compile(rb"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NO_CONTENT = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z)|%[^\n]*(?:\n|\Z)|\r)*")
_LIKE_JSON = re.compile(rb"\s*(?:---\s*)?[{\[]")
_PAIR = re.compile(
    r"((?<!\\)(?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(_TAG + name for name in ("int", "float", "bool", "null"))
_KNOWN_TAGS = _PLAIN_TAGS | {_TAG + name for name in ("str", "map", "seq", "timestamp")} | {"!"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnreadableError(Exception):
    """A document that is not YAML, or beyond the limits; `mark` is the place inside it."""

    def __init__(self, message: str, mark: Mark, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark
        self.hint = hint


class Document(NamedTuple):
    """The text of one document; `first_line` counts from 0 in the whole text, `start` is where.

    `again` finds the text once more, so that it need not be kept twice.
    """

    text: bytes
    first_line: int
    start: int

    @staticmethod
    def again(text: bytes, start: int, length: int) -> bytes:
        """Return the document that began at `start` of a stream."""
        return text.removeprefix(_BYTE_ORDER_MARK)[start : start + length]


def split(text: bytes) -> Iterator[Document]:
    """Cut a stream at its document markers, leaving out what holds only comments.

    A marker in column 1 always starts or ends a document, inside scalars too (YAML 1.2, 9.1.2).
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    starts = [0]
    if b"\n---" in text or b"\n..." in text:  # in long JSON the search takes its time
        starts = sorted({0, *(found.start() for found in _MARKER.finditer(text))})
    line = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        content = part.removeprefix(b"...") if part.startswith(b"...") else part
        if not _NO_CONTENT.fullmatch(content.removeprefix(b"---")):
            yield Document(content, line, end - len(content))
        line += part.count(b"\n")


def parse(text: bytes, *, first_line: int = 0, depth: int = 0) -> Tree | None:
    """Parse one document; None when there is nothing in it. Raises UnreadableError.

    A part of a document has so many lines before it, and is in so many collections.
    """
    if not text.strip():
        return None
    builder = _Builder(first_line, depth)
    decoded = _decoded(text)
    if _LIKE_JSON.match(text):
        decoded = _without_surrogates(decoded)
    try:
        for event in yaml.parse(decoded, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _unreadable(error, decoded) from None
    return builder.root


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        column = len(before) - before.rfind(b"\n")
        mark = Mark(before.count(b"\n") + 1, column)
        raise UnreadableError("not UTF-8 text", mark, "save the file as UTF-8") from None


def _without_surrogates(text: str) -> str:
    """Write JSON's escaped surrogate pairs (RFC 8259 7) as YAML has them: one escape of 8 digits."""

    def joined(pair: re.Match[str]) -> str:
        high, low = int(pair[2], 16) - 0xD800, int(pair[3], 16) - 0xDC00
        return f"{pair[1]}\\U{0x10000 + (high << 10) + low:08x}"

    return _PAIR.sub(joined, text)


def _unreadable(error: yaml.YAMLError, text: str) -> UnreadableError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        words = str(error).split("\n", 1)[0]
        return UnreadableError(f"not YAML: {words}", Mark(1, 1), "remove control characters")
    mark = _inside(text, error.problem_mark)
    context = f" {error.context}" if error.context else ""
    return UnreadableError(
        f"not YAML: {error.problem}{context}", mark, _hint_for(error.problem or "")
    )


def _inside(text: str, found: Any) -> Mark:
    """Place of an error; what is missing at the end is placed behind the last character."""
    lines = text.count("\n") + 1
    if found.line < lines:
        return Mark(found.line + 1, found.column + 1)
    return Mark(lines, len(text) - text.rfind("\n"))


def _hint_for(problem: str) -> str:
    if "cannot start any token" in problem:
        return "indent with blanks, not tabs; put text that begins with @, ` or % in quotes"
    if "unexpected end of stream" in problem:
        return "a quote or bracket is not closed; or the file is only half written"
    return "check indentation, colons and brackets here and on the line above"


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come; `key` is the mapping key that waits for a value."""

    node: Mapping | Sequence
    anchor: str | None
    weight_before: int
    key: str | None = None
    key_mark: Mark = _START
    merges: list[Mapping] = field(default_factory=list)


class _Builder:
    """Makes a tree from parse events, without recursion."""

    def __init__(self, first_line: int, depth: int) -> None:
        self.root: Tree | None = None
        self._first_line = first_line + 1
        self._max_depth = MAX_DEPTH - depth
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._written = 0
        self._weight = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event; raises UnreadableError when a limit is passed."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            mark = self._begin(event)
            self._push(Mapping({}, {}, [], mark), event.anchor)
        elif isinstance(event, yaml.SequenceStartEvent):
            mark = self._begin(event)
            self._push(Sequence([], mark), event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._pop()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _mark(self, event: Any) -> Mark:
        start = event.start_mark
        return Mark(start.line + self._first_line, start.column + 1)

    def _begin(self, event: Any) -> Mark:
        mark = self._mark(event)
        self._written += 1
        self._weight += 1
        if event.tag is not None and event.tag not in _KNOWN_TAGS:
            raise UnreadableError(f"tag {event.tag[:60]!r} is not read", mark, "remove the tag")
        return mark

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        mark = self._begin(event)
        plain = bool(event.implicit[0]) or event.tag in _PLAIN_TAGS
        node = Scalar(event.value, plain, mark)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        self._place(node)

    def _push(self, node: Mapping | Sequence, anchor: str | None) -> None:
        if len(self._open) >= self._max_depth:
            raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels", node.mark)
        if self._open and isinstance(self._open[-1].node, Mapping) and self._open[-1].key is None:
            raise UnreadableError("a key must be a single word", node.mark, "remove the `?`")
        self._open.append(_Open(node, anchor, self._weight - 1))

    def _pop(self) -> None:
        closed = self._open.pop()
        if isinstance(closed.node, Mapping):
            _merge(closed.node, closed.merges)
        if closed.anchor:
            self._anchors[closed.anchor] = (closed.node, self._weight - closed.weight_before)
        self._place(closed.node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark = self._mark(event)
        if event.anchor is None or event.anchor not in self._anchors:
            raise UnreadableError(f"alias *{str(event.anchor)[:60]} has no anchor before it", mark)
        node, weight = self._anchors[event.anchor]
        self._weight += weight
        if self._weight - self._written > MAX_EXPANDED:
            raise UnreadableError("aliases expand to too many values", mark, "write the values out")
        self._place(node)

    def _place(self, node: Tree) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None:
            _take_key(parent, node)
        else:
            _take_value(parent, parent.key, node)


def _take_key(parent: _Open, node: Tree) -> None:
    if not isinstance(node, Scalar):
        raise UnreadableError("a key must be a single word", node.mark, "remove the `?`")
    parent.key, parent.key_mark = node.text, node.mark


def _take_value(parent: _Open, key: str, node: Tree) -> None:
    mapping = parent.node
    assert isinstance(mapping, Mapping)
    parent.key = None
    if key == "<<":
        parent.merges.extend(_merged(node))
    elif key in mapping.entries:
        mapping.repeated.append((key, parent.key_mark))
    else:
        mapping.entries[key] = node
        mapping.marks[key] = parent.key_mark


def _merged(node: Tree) -> list[Mapping]:
    """Return the mappings that a merge key `<<` brings in; the first has precedence."""
    found = node.items if isinstance(node, Sequence) else [node]
    merges = [item for item in found if isinstance(item, Mapping)]
    if len(merges) != len(found):
        raise UnreadableError("`<<` takes a mapping or a list of mappings", node.mark)
    return merges


def _merge(mapping: Mapping, merges: list[Mapping]) -> None:
    for merged in merges:
        for key, node in merged.entries.items():
            if key not in mapping.entries:
                mapping.entries[key] = node
                mapping.marks[key] = merged.marks[key]
