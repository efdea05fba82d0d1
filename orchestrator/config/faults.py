"""Collects what is wrong with one object, each with its path and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from orchestrator.config.tree import Mark, Path, Tree, locate
from orchestrator.model.problem import Severity


class Fault(NamedTuple):
    """One thing that is wrong; `mark` counts from the start of the object's document."""

    path: Path
    mark: Mark
    message: str
    code: str
    severity: Severity = Severity.ERROR
    hint: str | None = None


class Faults:
    """The faults of one object, in the order they were found.

    `root` gives the object's tree when a fault is to be placed, which is seldom.
    """

    def __init__(self, root: Callable[[], Tree]) -> None:
        self._root = root
        self.found: list[Fault] = []

    def add(
        self,
        path: Path,
        message: str,
        code: str,
        *,
        severity: Severity = Severity.ERROR,
        hint: str | None = None,
    ) -> None:
        """Note a fault of the value at `path`."""
        mark = locate(self._root(), path)
        self.found.append(Fault(path, mark, message, code, severity, hint))

    def warn(self, path: Path, message: str, code: str, *, hint: str | None = None) -> None:
        """Note something that works, but not as one may think."""
        self.add(path, message, code, severity=Severity.WARNING, hint=hint)

    def at(self, path: Path, mark: Mark, message: str, code: str, hint: str | None = None) -> None:
        """Note an error whose place is not that of a value, such as a key's."""
        self.found.append(Fault(path, mark, message, code, Severity.ERROR, hint))

    @property
    def errors(self) -> int:
        """Number of faults that keep the object out of force."""
        return sum(fault.severity is not Severity.WARNING for fault in self.found)


def shown(text: str, limit: int = 60) -> str:
    """Text from an input, safe and short enough for a message."""
    short = text if len(text) <= limit else text[:limit] + "..."
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in short) + '"'


def named(text: str) -> str:
    """Name from an input as part of a message: as `shown`, without quotes."""
    return shown(text)[1:-1]
