"""Label selectors, with the meaning of Kubernetes' `metav1.LabelSelector`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

Labels: TypeAlias = Mapping[str, str]


class Operator(Enum):
    """Operator of a match expression."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label key."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Tell whether `labels` fulfil the condition; NotIn holds for an absent key."""
        if self.operator is Operator.IN:
            return labels.get(self.key) in self.values
        if self.operator is Operator.NOT_IN:
            return labels.get(self.key) not in self.values
        return (self.key in labels) is (self.operator is Operator.EXISTS)


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of requirements; an empty selector matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Tell whether every requirement holds for `labels`."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def matches_any(selectors: Iterable[Selector], labels: Labels) -> bool:
    """Tell whether one of `selectors` matches; no selectors at all means everything (MetalLB)."""
    selectors = tuple(selectors)
    return not selectors or any(selector.matches(labels) for selector in selectors)
