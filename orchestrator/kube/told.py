"""What speakers have told of their nodes as objects, read back: a `Live` for each node (DESIGN 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from orchestrator.kube.speaker_state import MAX_UNFLUSHED
from orchestrator.kube.writes import Document
from orchestrator.model.address import Family, IPAddress, IPNetwork, family_of
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.layer2_report import (
    Layer2Report,
    MemberReport,
    OwnerReport,
    SegmentReport,
)
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan, Protocol
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus

ANY_INTERFACE = "any interface"
"""Where a node answers, or nobody does, when no interface was named."""
Place = tuple[str, str]
"""A node and one of its interfaces."""
_WHY_FEWER = "it has not seen the latest change, or the node has no next hop of this family"
Moment = Callable[[str], float]


def lives(
    plan: Plan,
    nodes: Iterable[str],
    states: Iterable[Document],
    l2_statuses: Iterable[Document],
    moment: Moment,
    *,
    lost: Collection[str] = (),
) -> dict[str, Live]:
    """Return what is known of each of `nodes`, by their SpeakerStates and ServiceL2Statuses.

    `plan` is of all nodes. `moment` makes a moment of this host's monotonic clock (seconds) of a
    time (RFC 3339). What nodes that are `lost` told last does not count: it would stay for ever.
    """
    told = {str(one["metadata"]["name"]): one.get("status") or {} for one in states}
    owners = _owners(plan, _places(l2_statuses, lost))

    def live_of(node: str) -> Live:
        if node in lost:
            return _unheard(
                "the node is lost (Ready is Unknown): what its speaker told last is old"
            )
        if node not in told:
            return _unheard("no speaker has told of this node: is its pod running?")
        return _live(plan, node, told[node], owners, moment)

    return {node: live_of(node) for node in nodes}


def lost_nodes(nodes: Iterable[Document]) -> frozenset[str]:
    """Return the Nodes of which Kubernetes has not heard for a while."""
    return frozenset(
        str(node["metadata"]["name"])
        for node in nodes
        for one in (node.get("status") or {}).get("conditions") or ()
        if (one.get("type"), one.get("status")) == ("Ready", "Unknown")
    )


def _unheard(text: str) -> Live:
    return Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, unheard=text)


def _live(
    plan: Plan,
    node: str,
    status: Document,
    owners: Mapping[IPAddress, tuple[Place, ...]],
    moment: Moment,
) -> Live:
    sessions = {one.peer: one for one in map(_session(moment), status.get("sessions") or ())}
    doubts = dict(_doubts(plan.ribs.get(node, {}), status))
    routes = _Routes(sessions, doubts.keys(), _unflushed(status))
    return Live(
        sessions, routes.status, layer2=_layer2(node, status, owners, moment), doubts=doubts
    )


def _doubts(ribs: Mapping[str, Rib], status: Document) -> Iterator[tuple[tuple[str, Family], str]]:
    """Find the sessions on which a speaker wants fewer routes of a family than there should be."""
    for told in status.get("sessions") or ():
        peer = told["peer"]
        desired, six = (told.get("routes") or {}).get("desired", 0), told.get("desiredIPv6", 0)
        for family, wanted in ((Family.IPV4, desired - six), (Family.IPV6, six)):
            planned = sum(family_of(prefix) is family for prefix in ribs.get(peer, {}))
            if wanted < planned:
                text = f"its speaker wants {wanted} of {planned} {family} routes"
                yield (peer, family), f"{text}: {_WHY_FEWER}"


def _session(moment: Moment) -> Callable[[Document], SessionState]:
    def read(told: Document) -> SessionState:
        routes = told.get("routes") or {}
        counts = (int(routes.get(name, 0)) for name in ("desired", "sent", "flushed"))
        since = moment(told["since"]) if told.get("since") else 0.0
        status = SessionStatus(told.get("state", "unknown"))
        return SessionState(told["peer"], status, since, told.get("lastError"), *counts)

    return read


def _unflushed(status: Document) -> dict[tuple[str, IPNetwork], RouteStatus]:
    return {
        (one["peer"], ip_network(one["prefix"])): RouteStatus(one["state"])
        for one in status.get("unflushed") or ()
    }


@dataclass(frozen=True, slots=True)
class _Routes:
    """How far routes got.

    A speaker names few of the routes that are not flushed. Of a route that it does not name it is
    not certain that it is flushed while others of that peer may be left out, or while it wants
    fewer routes than there should be (`doubtful`).
    """

    sessions: Mapping[str, SessionState]
    doubtful: Collection[tuple[str, Family]]
    unflushed: Mapping[tuple[str, IPNetwork], RouteStatus]

    def status(self, peer: str, prefix: IPNetwork) -> RouteStatus:
        """Return how far a route certainly got."""
        named = self.unflushed.get((peer, prefix))
        if named is not None:
            return named
        state = self.sessions.get(peer)
        if state is None or (peer, family_of(prefix)) in self.doubtful:
            return RouteStatus.DESIRED
        if state.flushed >= state.desired or len(self.unflushed) < MAX_UNFLUSHED:
            return RouteStatus.FLUSHED
        return RouteStatus.SENT if state.sent >= state.desired else RouteStatus.DESIRED


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


def _owners(
    plan: Plan, places: Mapping[ServiceKey, set[Place]]
) -> dict[IPAddress, tuple[Place, ...]]:
    """Return who answers for each address that is announced on layer 2."""
    found: defaultdict[IPAddress, set[Place]] = defaultdict(set)
    for verdict in plan.verdicts:
        if verdict.protocol is Protocol.LAYER2 and verdict.address is not None:
            found[verdict.address].update(places.get(verdict.service, ()))
    return {address: tuple(sorted(where)) for address, where in found.items()}


def _layer2(
    node: str, status: Document, owners: Mapping[IPAddress, tuple[Place, ...]], moment: Moment
) -> Layer2Report:
    members: defaultdict[str, list[MemberReport]] = defaultdict(list)
    for told in status.get("members") or ():
        members[told.get("interface", ANY_INTERFACE)].append(_member(told, moment))
    answered = {name for where in owners.values() for _, name in where}
    return Layer2Report(
        tuple(
            SegmentReport(name, "up", members=tuple(members.get(name, ())))
            for name in sorted({ANY_INTERFACE, *members, *answered})
        ),
        {address: _owner_reports(node, where) for address, where in owners.items()},
    )


def _member(told: Mapping[str, Any], moment: Moment) -> MemberReport:
    """Read a member; of one that is heard nothing is said of when."""
    silent = told.get("lastHeard")
    heard_at = moment(silent) if silent else 0.0
    return MemberReport(told.get("node", ""), told.get("state", ""), heard_at, alive=not silent)


def _owner_reports(node: str, where: tuple[Place, ...]) -> tuple[OwnerReport, ...]:
    return tuple(
        OwnerReport(interface, owner or None, 0.0, wanted=owner == node)
        for owner, interface in where or (("", ANY_INTERFACE),)
    )
