"""YAML texts that differ only in simple values are parsed once, as one shape.

Objects made by programs are alike but for names, addresses and times. A text is cut into those
values (slots) and the rest; the rest with a stand-in in every slot is parsed, and if each stand-in
came out as one whole scalar, any other simple value in its place does too, with quotes or without:
it begins where the stand-in began, holds nothing that means something to YAML, and ends its line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from orchestrator.config import tree
from orchestrator.config.documents import UnreadableError, parse
from orchestrator.config.fast.bound import QUOTES, Bound, Slots, Texts, bound
from orchestrator.config.fast.plain import DoubtError
from orchestrator.config.schema import Record
from orchestrator.config.tree import Mark, Tree

_SLOT = re.compile(
    r""" (?:(?<=[:-] )(?=[A-Za-z0-9"'])|(?:(?<=: \|\n {6})|(?<=: \|\n {8}))(?=\{))"""
    r"""([A-Za-z0-9][A-Za-z0-9._/-]*|"[ !#-\[\]-~]*"|'[ -&(-~]*'|\{[ -~]*)(?=\n)"""
)
"""A simple value that ends its line, in quotes or not, after `: ` or `- `; the blank goes with it.

Or a line of JSON as kubectl leaves it in an annotation, a literal text (`|`) of one line.
"""
_LITERAL = re.compile(r": \|\n +\Z")
_STAND_IN = "x"
_SHAPES = 512
"""Shapes that are remembered; a cluster has a few dozen."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What all texts of one shape have in common: the tree, and which scalars are slots."""

    root: tree.Mapping
    slots: Slots
    readers: dict[str, Bound] = field(default_factory=dict, repr=False, compare=False)

    def word(self, key: str, values: Texts) -> str | None:
        """Return the text of a top-level scalar, None when there is none."""
        node = self.root.entries.get(key)
        if not isinstance(node, tree.Scalar) or not node.text:
            return None
        slot = self.slots.get(node.mark)
        return node.text if slot is None else values[slot].strip(QUOTES) or None

    def read(self, name: str, record: Record, values: Texts) -> Any:
        """Return the values of `record`, known as `name`; DoubtError when not plainly good."""
        reader = self.readers.get(name)
        if reader is None:
            reader = self.readers[name] = bound(record, self.root, self.slots)
        return reader(values)


def shape_of(text: str) -> tuple[Shape, Texts]:
    """Return the shape of one object's text, and its values; DoubtError when it has none.

    It has none either when it is the first of its shape: most likely it stays the only one.
    """
    parts = _SLOT.split(text)
    rest = tuple(parts[::2])
    if next(_sightings(hash(rest))) == 0:
        raise DoubtError
    shape = _shape(rest)
    if shape is None:
        raise DoubtError
    return shape, parts[1::2]


@lru_cache(maxsize=16 * _SHAPES)
def _sightings(shape: int) -> Iterator[int]:
    """Count how often a shape was asked for."""
    del shape
    return itertools.count()


@lru_cache(maxsize=_SHAPES)
def _shape(rest: tuple[str, ...]) -> Shape | None:
    """Parse what lies between the slots with stand-ins; None when that does not go."""
    slots = {mark: index for index, mark in enumerate(_places(rest))}
    try:
        root = parse(f" {_STAND_IN}".join(rest).encode())
    except UnreadableError:
        return None
    if isinstance(root, tree.Sequence) and len(root.items) == 1:
        root = root.items[0]
    if not isinstance(root, tree.Mapping) or set(_stand_ins(root, slots)) != slots.keys():
        return None
    return Shape(root, slots)


def _places(rest: Sequence[str]) -> Iterator[Mark]:
    """Where the scalar of each slot begins; a literal text does so at its `|`, a line above."""
    line, column = 1, 1
    for part in rest[:-1]:
        head = part[: part.rindex("\n")] if _LITERAL.search(part) else None
        if head is not None:
            yield _moved(head[:-1], line, column)
        line, column = _moved(f"{part} ", line, column)
        if head is None:
            yield Mark(line, column)
        column += len(_STAND_IN)


def _moved(text: str, line: int, column: int) -> Mark:
    """Return the place after a text that begins at a place."""
    lines = text.count("\n")
    return Mark(line + lines, len(text) - text.rfind("\n") if lines else column + len(text))


def _stand_ins(node: Tree, slots: Slots) -> Iterator[Mark]:
    """Find the places of slots where there is a scalar that is the stand-in and nothing else."""
    if isinstance(node, tree.Scalar):
        if node.mark in slots and node.text == (_STAND_IN if node.plain else f"{_STAND_IN}\n"):
            yield node.mark
        return
    inner = node.items if isinstance(node, tree.Sequence) else node.entries.values()
    for item in inner:
        yield from _stand_ins(item, slots)
