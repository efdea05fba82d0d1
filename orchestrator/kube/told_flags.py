"""The flags that speakers run with, as they have told them: which Services and nodes are theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from orchestrator.kube.writes import Document
from orchestrator.model.local import Local
from orchestrator.model.problem import Problem, Severity

CLASS, IGNORES = "loadBalancerClass", "ignoreExcludeLabel"
_NAMED = 3
"""Nodes that are named one by one."""
_HINT = "start controller and all speakers with the same flags"
_Flag = TypeVar("_Flag", bound=Hashable)


def local_of(given: Local, states: Iterable[Document]) -> tuple[Local, tuple[Problem, ...]]:
    """Return `given` with the flags that most speakers run with, where it has none, and problems.

    `states` are SpeakerStates that count; those of a version that does not tell its flags say
    nothing of them.
    """
    told = {
        str(one["metadata"]["name"]): status
        for one in states
        if IGNORES in (status := one.get("status") or {})
    }
    classes = {node: status.get(CLASS) for node, status in told.items()}
    ignoring = {node: bool(status[IGNORES]) for node, status in told.items()}
    found = given
    if given.lb_class is None:
        found = replace(found, lb_class=_most(classes, None))
    if not given.ignore_exclude_label:
        found = replace(found, ignore_exclude_label=_most(ignoring, default=False))
    return found, tuple(
        _problem(flag, values)
        for flag, values in (("--lb-class", classes), ("--ignore-exclude-lb", ignoring))
        if len(set(values.values())) > 1
    )


def _most(values: Mapping[str, _Flag], default: _Flag) -> _Flag:
    """Return the value that most nodes have, of two as frequent that of the first node by name."""
    counts = Counter(values[node] for node in sorted(values))
    return counts.most_common(1)[0][0] if counts else default


def _problem(flag: str, values: Mapping[str, object]) -> Problem:
    by_value: dict[object, list[str]] = {}
    for node in sorted(values):
        by_value.setdefault(values[node], []).append(node)
    words = "; ".join(f"{_value(value)} on {_names(nodes)}" for value, nodes in by_value.items())
    text = f"speakers run with different values: {words}"
    return Problem(Severity.WARNING, "differentFlags", flag, text, hint=_HINT)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "set" if value else "not set"
    return "none" if value is None else str(value)


def _names(nodes: Collection[str]) -> str:
    named = list(nodes)[:_NAMED]
    more = len(nodes) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
