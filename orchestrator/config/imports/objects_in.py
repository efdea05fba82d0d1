"""Kubernetes objects of other systems in a YAML file: their kinds, fields and lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.config.documents import UnreadableError, parse, split
from orchestrator.config.imports.result import UnreadableImportError
from orchestrator.config.tree import Mapping, Scalar, Sequence, Tree, is_null


class Node(NamedTuple):
    """A value in a file; `first_line` is that of its document, from 0."""

    tree: Tree | None
    first_line: int

    @property
    def line(self) -> int:
        """Line in the file."""
        return self.first_line + (self.tree.mark.line if self.tree is not None else 1)

    @property
    def text(self) -> str:
        """Text of a scalar; nothing for anything else."""
        if isinstance(self.tree, Scalar) and not is_null(self.tree):
            return self.tree.text
        return ""

    @property
    def given(self) -> bool:
        """Tell whether there is a value."""
        return self.tree is not None and not is_null(self.tree)

    def at(self, *names: str) -> Node:
        """Return the value at a path of field names; an empty one when it is not there."""
        node = self
        for name in names:
            entries = node.tree.entries if isinstance(node.tree, Mapping) else {}
            node = Node(entries.get(name), self.first_line)
        return node

    @property
    def items(self) -> list[Node]:
        """Items of a list."""
        items = self.tree.items if isinstance(self.tree, Sequence) else []
        return [Node(item, self.first_line) for item in items]

    @property
    def fields(self) -> dict[str, Node]:
        """Values of a mapping by name."""
        entries = self.tree.entries if isinstance(self.tree, Mapping) else {}
        return {name: Node(value, self.first_line) for name, value in entries.items()}


def objects_in(text: bytes) -> Iterator[Node]:
    """Find every object, those of lists too. Raises UnreadableImportError when it is not YAML."""
    for document in split(text):
        try:
            root = parse(document.text)
        except UnreadableError as error:
            line = document.first_line + error.mark.line
            raise UnreadableImportError(line, error.message) from None
        node = Node(root, document.first_line)
        if node.at("kind").text.endswith("List"):
            yield from node.at("items").items
        else:
            yield node
