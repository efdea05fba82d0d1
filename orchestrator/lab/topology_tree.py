"""Typed access to the YAML tree of a topology file; every problem is collected with its place."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.config import tree
from orchestrator.config.tree import Mark, Tree


@dataclass(slots=True)
class Problems:
    """What is wrong with the file called `filename`, in the order it was found."""

    filename: str
    found: list[str] = field(default_factory=list)

    def add(self, mark: Mark, path: str, message: str) -> None:
        """Note a problem of the key at `path`."""
        key = f"{path}: " if path else ""
        self.found.append(f"{self.filename}:{mark.line}:{mark.column}: {key}{message}")


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the file with its path; its readers give something empty if the type is wrong."""

    node: Tree
    path: str
    problems: Problems
    mark: Mark

    @property
    def place(self) -> str:
        """FILE:LINE of the value."""
        return f"{self.problems.filename}:{self.mark.line}"

    def wrong(self, message: str) -> None:
        """Note a problem of this value."""
        self.problems.add(self.mark, self.path, message)

    @property
    def is_null(self) -> bool:
        """Tell whether nothing is written here."""
        return tree.is_null(self.node)

    def _expected(self, what: str) -> None:
        self.wrong(f"expected {what}, found {tree.noun_of(self.node)}")

    def text(self) -> str:
        """Return the scalar as it is written."""
        if isinstance(self.node, tree.Scalar):
            return "" if self.is_null else self.node.text
        self._expected("text")
        return ""

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`; `low` when it is none."""
        text = self.text()
        if text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high:
            return int(text)
        self.wrong(f"expected a whole number from {low} to {high}")
        return low

    def words(self) -> tuple[str, ...]:
        """Split a command into words as a shell would, without running one."""
        try:
            words = tuple(shlex.split(self.text()))
        except ValueError as error:
            self.wrong(f"not a command: {error}")
            return ()
        if not words and isinstance(self.node, tree.Scalar) and not self.is_null:
            self.wrong("an empty command")
        return words

    def items(self) -> Iterator[Value]:
        """Values of a list."""
        if isinstance(self.node, tree.Sequence):
            for number, item in enumerate(self.node.items):
                yield Value(item, f"{self.path}[{number}]", self.problems, item.mark)
        elif not self.is_null:
            self._expected("a list")

    def entries(self) -> Mapping[str, Value]:
        """Values of a mapping by key."""
        if not isinstance(self.node, tree.Mapping):
            if not self.is_null:
                self._expected("a mapping")
            return {}
        for key, mark in self.node.repeated:
            self.problems.add(mark, f"{self.path}.{key}".lstrip("."), "written twice")
        marks = self.node.marks
        return {
            key: Value(node, f"{self.path}.{key}".lstrip("."), self.problems, marks[key])
            for key, node in self.node.entries.items()
        }

    def fields(self, known: Mapping[str, str], refused: Mapping[str, str]) -> Mapping[str, Value]:
        """Values of a mapping whose keys must be among `known`; `refused` says why one is not."""
        entries = self.entries()
        for key in entries.keys() - known.keys():
            reason = refused.get(key, f"not known here; known: {', '.join(sorted(known))}")
            entries[key].wrong(reason)
        return {key: value for key, value in entries.items() if key in known}
