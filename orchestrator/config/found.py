"""What is found in a document: its objects, and what is wrong with the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.config.faults import Fault
from orchestrator.config.schema import Kind, Scope
from orchestrator.config.tree import Mark
from orchestrator.model.problem import Severity


class Found(NamedTuple):
    """One object of a kind that is read.

    `draft` is None when it is faulty, or when it means nothing to us. `position` is its place
    among the objects of its document. Marks count from that document's first line. What is
    `converted` from a ConfigMap counts only where that ConfigMap does. An object that was read `alone`
    is found in its document without the others.
    """

    kind: Kind
    namespace: str
    name: str
    created: str
    draft: Any
    faults: tuple[Fault, ...]
    mark: Mark
    position: int = 0
    converted: bool = False
    alone: bool = False

    @property
    def faulty(self) -> bool:
        """Tell whether a fault keeps the object out of force."""
        return any(fault.severity is not Severity.WARNING for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Contents:
    """What one document holds.

    `notes` are faults that belong to no object that is read, with the name they go by. `lost` is
    set when the document held something that could not be told: then what it held before stays.
    """

    found: tuple[Found, ...] = ()
    notes: tuple[tuple[str, Fault], ...] = ()
    lost: bool = False


def home_of(kind: Kind, given: str) -> str:
    """Return the namespace an object is in; configuration without one gets its later."""
    if kind.scope is Scope.CLUSTER:
        return ""
    if kind.scope is Scope.NAMESPACED and kind.name not in ("Secret", "ConfigMap"):
        return given or "default"
    return given
