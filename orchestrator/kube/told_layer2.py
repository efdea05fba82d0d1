"""What speakers have told of layer 2 as objects, read back: who answers where, and what is wrong there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, TypeAlias

from orchestrator.kube.writes import Document
from orchestrator.model.address import IPAddress
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.layer2_report import (
    Layer2Report,
    MemberReport,
    OwnerReport,
    SegmentReport,
    Trouble,
)
from orchestrator.model.plan import Plan, Protocol, Reason

ANY_INTERFACE = "any interface"
"""Where a node answers, or nobody does, when no interface was named."""
Place = tuple[str, str]
"""A node and one of its interfaces."""
Moment: TypeAlias = Callable[[str], float]
"""Makes a moment of a clock (seconds) of a time (RFC 3339); ValueError for what is none."""
_STATES = {Reason.ISOLATED.value: "isolated", "sameName": "silent"}
"""Code of a trouble of a whole segment -> the state of the segment."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers for each address of the plan, and on which interfaces each node may.

    An interface of None is any.
    """

    owners: Mapping[IPAddress, tuple[Place, ...]]
    allowed: Mapping[tuple[IPAddress, str], frozenset[str] | None]


def answering(
    plan: Plan,
    l2_statuses: Iterable[Document],
    *,
    lost: Collection[str],
    silent: Collection[str],
) -> Answering:
    """Return who answers by their ServiceL2Statuses.

    Those of `lost` nodes do not count, and those of `silent` ones where another says that it answers.
    """
    places = _places(l2_statuses, lost)
    found: defaultdict[IPAddress, set[Place]] = defaultdict(set)
    for verdict in plan.verdicts:
        if verdict.protocol is Protocol.LAYER2 and verdict.address is not None:
            found[verdict.address].update(places.get(verdict.service, ()))
    owners = {address: _heard(where, silent) for address, where in found.items()}
    allowed = {
        (election.address, candidate.node): candidate.interfaces
        for election in plan.elections
        for candidate in election.candidates
    }
    return Answering(owners, allowed)


def _places(l2_statuses: Iterable[Document], lost: Collection[str]) -> dict[ServiceKey, set[Place]]:
    """Return where each Service is answered for."""
    found: defaultdict[ServiceKey, set[Place]] = defaultdict(set)
    for one in l2_statuses:
        status = one.get("status") or {}
        if not status.get("node") or status["node"] in lost:
            continue
        key = ServiceKey(status.get("serviceNamespace", ""), status.get("serviceName", ""))
        names = [interface["name"] for interface in status.get("interfaces") or ()]
        found[key].update((status["node"], name) for name in names or [ANY_INTERFACE])
    return found


def _heard(where: Iterable[Place], silent: Collection[str]) -> tuple[Place, ...]:
    found = sorted(where)
    return tuple([one for one in found if one[0] not in silent] or found)


def layer2_report(node: str, status: Document, found: Answering, moment: Moment) -> Layer2Report:
    """Return the report of `node`, as far as it is told."""
    members: defaultdict[str, list[MemberReport]] = defaultdict(list)
    for told in status.get("members") or ():
        members[told.get("interface", ANY_INTERFACE)].append(_member(told, moment))
    troubles = [_trouble(one) for one in status.get("layer2") or ()]
    states = {one.interface: _STATES[one.code] for one in troubles if one.code in _STATES}
    owners = {
        address: tuple(_of_address(_View(node, address, found, troubles)))
        for address in {**found.owners, **{one.address: () for one in troubles if one.address}}
    }
    names = {one.interface for reports in owners.values() for one in reports}
    return Layer2Report(
        tuple(
            SegmentReport(name, states.get(name, "up"), members=tuple(members.get(name, ())))
            for name in sorted({ANY_INTERFACE, *members, *states, *names})
        ),
        owners,
    )


def _member(told: Mapping[str, Any], moment: Moment) -> MemberReport:
    """Read a member; of one that is heard nothing is said of when."""
    silent = told.get("lastHeard")
    heard_at = moment(silent) if silent else 0.0
    return MemberReport(told.get("node", ""), told.get("state", ""), heard_at, alive=not silent)


def _trouble(told: Mapping[str, Any]) -> Trouble:
    address = told.get("address")
    return Trouble(
        told.get("reason", ""),
        told.get("interface", ANY_INTERFACE),
        told.get("message", ""),
        ip_address(address) if address else None,
        told.get("by", ""),
    )


@dataclass(frozen=True, slots=True)
class _View:
    """One address as a node sees it."""

    node: str
    address: IPAddress
    found: Answering
    troubles: Iterable[Trouble]

    @property
    def rivals(self) -> dict[str, Trouble]:
        """Troubles of this address by interface; a node has some only where it answers."""
        return {one.interface: one for one in self.troubles if one.address == self.address}

    @property
    def isolated(self) -> Iterator[str]:
        """Interfaces that lost all members, of those that the node may answer on."""
        place = (self.address, self.node)
        if place in self.found.allowed:
            allowed = self.found.allowed[place]
            for one in self.troubles:
                if one.code == Reason.ISOLATED.value and (not allowed or one.interface in allowed):
                    yield one.interface


def _of_address(view: _View) -> Iterator[OwnerReport]:
    """Yield who answers where; on a segment on which the node is isolated it sees nobody."""
    where = view.found.owners.get(view.address, ())
    rivals = view.rivals
    own = {name for node, name in where if node == view.node} | rivals.keys()
    for interface in sorted(own):
        report = OwnerReport(interface, view.node, 0.0, wanted=True)
        yield _contested(report, rivals.get(interface))
    alone = set(view.isolated) - own
    others = [one for one in where if one[0] != view.node and one[1] not in alone]
    for name in sorted(alone):
        yield OwnerReport(name, None, 0.0, wanted=False)
    for node, name in others:
        yield OwnerReport(name, node, 0.0, wanted=False)
    if not (own or alone or others):
        yield OwnerReport(ANY_INTERFACE, None, 0.0, wanted=False)


def _contested(report: OwnerReport, trouble: Trouble | None) -> OwnerReport:
    if trouble is None:
        return report
    if trouble.code == Reason.KERNEL_ANSWERS.value:
        return replace(report, kernel_answers=trouble.by)
    return replace(report, conflict=trouble.by)
