"""Rules of a record of which some fields could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.config.faults import Fault, Faults
from orchestrator.config.schema import Rule, Values
from orchestrator.config.tree import Path
from orchestrator.model.problem import Severity


class _UnreadError(Exception):
    """A rule looks at a field that could not be read."""


class _Partial(Mapping[str, Any]):
    """The values of a record; those that could not be read cannot be had."""

    def __init__(self, values: Values, unread: frozenset[str | int]) -> None:
        self._values = values
        self._unread = unread

    def __getitem__(self, name: str) -> Any:
        if name in self._unread:
            raise _UnreadError
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def good_part(values: Values, path: Path, found: Sequence[Fault]) -> Values:
    """Return what rules may look at, by the faults that were found in the record at `path`.

    A field of unknown name may be any of them misspelt, so then they may look at none.
    """
    wrong = [fault for fault in found if fault.severity is not Severity.WARNING]
    if not wrong:
        return values
    misspelt = any(at.code == "unknownField" and len(at.path) == len(path) + 1 for at in wrong)
    return _Partial(values, frozenset(values if misspelt else (at.path[len(path)] for at in wrong)))


def check_rules(rules: Iterable[Rule], values: Values, path: Path, faults: Faults) -> None:
    """Note every rule that is broken, of those that can be looked at."""
    for rule in rules:
        try:
            broken = rule.check(values)
        except _UnreadError:
            continue
        if broken is not None:
            where = (*path, broken.field) if broken.field else path
            faults.add(where, broken.message, "brokenRule", hint=broken.hint)
