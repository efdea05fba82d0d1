"""Whether anybody announces a Service, and the Events about it (DESIGN 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from orchestrator.model.alike import common_ends
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.plan import (
    AssignmentState,
    KubernetesEvent,
    Plan,
    Protocol,
    Verdict,
)

ANNOUNCED, NOT_ANNOUNCED = "Announced", "NotAnnounced"
_NAMED = 3
"""More nodes than these are counted, not named."""


class Told(NamedTuple):
    """An Event about a Service."""

    service: ServiceKey
    event: KubernetesEvent


class Announcements:
    """Remembers of each Service whether any node announces it.

    There is one Event when that begins, and one when it ceases, or when a Service has got an address
    that nobody announces; never one for each node or plan. What the first plan says is known already:
    a restart tells nothing anew.
    """

    def __init__(self) -> None:
        self._verdicts: Sequence[Verdict] | None = None
        self._announced: dict[ServiceKey, bool] = {}

    def observe(self, plan: Plan) -> list[Told]:
        """Take the plan of all nodes; return the Events about what it changed."""
        before, self._verdicts = self._verdicts, plan.verdicts
        found = _changed(before or (), plan.verdicts)
        silent = before is None
        told = [self._judge(key, verdicts) for key, verdicts in found.items() if verdicts]
        gone = [key for key, verdicts in found.items() if not verdicts]
        told += self._without_verdicts(gone, plan)
        return [] if silent else [one for one in told if one is not None]

    def _judge(self, key: ServiceKey, verdicts: Sequence[Verdict]) -> Told | None:
        before = self._announced.get(key)
        now = self._announced[key] = any(verdict.announced for verdict in verdicts)
        if now is before:
            return None
        return Told(key, _begun(verdicts) if now else _not_announced(_reasons(verdicts)))

    def _without_verdicts(self, gone: Sequence[ServiceKey], plan: Plan) -> list[Told | None]:
        """Forget Services without an address; one that is still there was announced until now."""
        was = {key for key in gone if self._announced.pop(key, False)}
        if not was:
            return []
        return [
            Told(one.service, _not_announced(one.message or "there is no node to do so"))
            for one in plan.assignments
            if one.service in was and one.state is not AssignmentState.IGNORED
        ]


def _changed(old: Sequence[Verdict], new: Sequence[Verdict]) -> dict[ServiceKey, list[Verdict]]:
    """Return all verdicts of each Service of which any is another than before.

    Those of one Service are next to each other in a plan.
    """
    head, tail = common_ends(old, new)
    first, last = head, len(new) - tail
    found: defaultdict[ServiceKey, list[Verdict]] = defaultdict(list)
    for verdict in (*old[head : len(old) - tail], *new[first:last]):
        found[verdict.service] = []
    before = takewhile(found.__contains__, (new[i].service for i in range(first - 1, -1, -1)))
    after = takewhile(found.__contains__, (new[i].service for i in range(last, len(new))))
    first, last = first - len(tuple(before)), last + len(tuple(after))
    for verdict in new[first:last]:
        found[verdict.service].append(verdict)
    return found


def _begun(verdicts: Sequence[Verdict]) -> KubernetesEvent:
    nodes: defaultdict[Protocol | None, dict[str, None]] = defaultdict(dict)
    for verdict in verdicts:
        if verdict.announced:
            nodes[verdict.protocol].update(dict.fromkeys((verdict.node, *verdict.alike)))
    parts = [f"{_protocol(one)} from {_nodes(list(names))}" for one, names in nodes.items()]
    return KubernetesEvent("Normal", ANNOUNCED, f"announced with {' and '.join(parts)}")


def _nodes(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{len(names)} nodes"
    plural = "nodes" if len(names) > 1 else "node"
    return f"{plural} {', '.join(names)}"


def _protocol(protocol: Protocol | None) -> str:
    return "no protocol" if protocol is None else protocol.value


def _not_announced(why: str) -> KubernetesEvent:
    return KubernetesEvent("Warning", NOT_ANNOUNCED, f"no node announces it: {why}")


def _reasons(verdicts: Sequence[Verdict]) -> str:
    """Say the first reason of each protocol."""
    firsts: dict[Protocol | None, Verdict] = {}
    for verdict in verdicts:
        firsts.setdefault(verdict.protocol, verdict)
    if None in firsts:
        return firsts[None].message
    return "; ".join(f"{_protocol(one)}: {verdict.message}" for one, verdict in firsts.items())
