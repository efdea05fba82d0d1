"""What is in force and what is wrong, as one value that later readings begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.config.gather import Memo
from orchestrator.config.link import Good, ObjectKey
from orchestrator.model.cluster import Cluster
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity

Goods = dict[ObjectKey, Good]
GoodsByKind = Mapping[str, Goods]
NONE: Goods = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in force, and everything that is wrong with the input.

    `good` are the last good versions by object, `kinds` the same by kind, and `memo` what unchanged
    sources hold: the next reading needs them. An object or value that did not change is the same Python object again.
    """

    policy: Policy = field(default_factory=Policy)
    cluster: Cluster = field(default_factory=Cluster)
    problems: tuple[Problem, ...] = ()
    good: Mapping[ObjectKey, Good] = field(default_factory=dict, repr=False, compare=False)
    kinds: GoodsByKind = field(default_factory=dict, repr=False, compare=False)
    memo: Memo = field(default_factory=dict, repr=False, compare=False)

    @property
    def valid(self) -> bool:
        """Tell whether no problem is an error; `waiting` and warnings are not."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


def error_on_pool(problems: Iterable[Problem]) -> bool:
    """Tell whether a pool is faulty: then no address that a Service has may be given away."""
    return any(
        problem.severity is Severity.ERROR and problem.object.startswith("IPAddressPool")
        for problem in problems
    )
