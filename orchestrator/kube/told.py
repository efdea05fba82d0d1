"""What speakers have told of their nodes as objects, read back: a `Live` for each node (DESIGN 9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import NamedTuple

from orchestrator.kube.speaker_state import MAX_UNFLUSHED, RENEWED
from orchestrator.kube.told_layer2 import Answering, Moment, answering, layer2_report
from orchestrator.kube.writes import Document
from orchestrator.model.address import Family, IPNetwork, family_of
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus

SILENT_S = 150.0
"""Who has told nothing for so long is silent: a speaker that lives tells at least once a minute."""
_WHY_FEWER = "it has not seen the latest change, or the node has no next hop of this family"
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))


class Clock(NamedTuple):
    """`moment` makes a moment of a clock (seconds) of a time (RFC 3339); `now` is a moment of it."""

    moment: Moment
    now: float


def lives(
    plan: Plan,
    nodes: Iterable[str],
    states: Iterable[Document],
    l2_statuses: Iterable[Document],
    clock: Clock,
    *,
    lost: Collection[str] = (),
) -> dict[str, Live]:
    """Return what is known of each of `nodes`, by their SpeakerStates and ServiceL2Statuses.

    `plan` is of all nodes. What nodes that are `lost` told last does not count: it would stay for
    ever. Nor does that of a silent speaker; but who answered on layer 2 does while nobody else says
    that it answers, since that needs no speaker.
    """
    nodes = tuple(nodes)
    told = {str(one["metadata"]["name"]): one for one in states}
    unheard = {node: text for node in nodes if (text := _unheard(node, told, clock, lost))}
    found = answering(plan, l2_statuses, lost=lost, silent=unheard)

    def live_of(node: str) -> Live:
        if node in unheard:
            return _deaf(unheard[node])
        try:
            return _live(plan, node, told[node].get("status") or {}, found, clock.moment)
        except (ValueError, KeyError) as error:
            return _deaf(_unreadable(error))

    return {node: live_of(node) for node in nodes}


def _unheard(
    node: str, told: Mapping[str, Document], clock: Clock, lost: Collection[str]
) -> str | None:
    """Say why what a node told does not count; None when it does."""
    if node in lost:
        return "the node is lost (Ready is Unknown): what its speaker told last is old"
    if node not in told:
        return "no speaker has told of this node: is its pod running?"
    try:
        return _silence(told[node], clock)
    except ValueError as error:
        return _unreadable(error)


def _silence(state: Document, clock: Clock) -> str | None:
    """Say since when a speaker is silent; one of a version that tells no times is not."""
    last = _last(state)
    age_s = clock.now - clock.moment(last) if last else 0.0
    if age_s <= SILENT_S:
        return None
    return (
        f"its speaker has not told anything for {_duration(age_s)} (last at {last}): is its pod "
        "running? What ExaBGP and layer2 announced they go on announcing for a while"
    )


def _last(state: Document) -> str | None:
    """Return when a speaker told something last, by the API server's clock where that noted it.

    The server notes who wrote which field when (`managedFields`), so a node's wrong clock does not
    matter.
    """
    told = (state.get("status") or {}).get(RENEWED)
    noted = [
        str(one["time"])
        for one in state["metadata"].get("managedFields") or ()
        if f"f:{RENEWED}" in (one.get("fieldsV1") or {}).get("f:status", {})
    ]
    return max(noted, default=told) if told else None


def _duration(seconds: float) -> str:
    """Return a duration of more than two minutes in words."""
    name, unit = next(one for one in _UNITS if seconds >= 2 * one[1])
    return f"{seconds // unit:.0f} {name}"


def _unreadable(error: Exception) -> str:
    return f"what its SpeakerState says cannot be read: {error}"


def heard(states: Iterable[Document], clock: Clock, lost: Collection[str] = ()) -> list[Document]:
    """Return those SpeakerStates that count: not of lost nodes, nor of silent speakers."""
    named = [(str(one["metadata"]["name"]), one) for one in states]
    return [one for name, one in named if _unheard(name, {name: one}, clock, lost) is None]


def lost_nodes(nodes: Iterable[Document]) -> frozenset[str]:
    """Return the Nodes of which Kubernetes has not heard for a while."""
    return frozenset(
        str(node["metadata"]["name"])
        for node in nodes
        for one in (node.get("status") or {}).get("conditions") or ()
        if (one.get("type"), one.get("status")) == ("Ready", "Unknown")
    )


def _deaf(text: str) -> Live:
    return Live({}, lambda _peer, _prefix: RouteStatus.DESIRED, unheard=text)


def _live(plan: Plan, node: str, status: Document, found: Answering, moment: Moment) -> Live:
    sessions = {one.peer: one for one in map(_session(moment), status.get("sessions") or ())}
    doubts = dict(_doubts(plan.ribs.get(node, {}), status))
    routes = _Routes(sessions, doubts.keys(), _unflushed(status))
    report = layer2_report(node, status, found, moment)
    return Live(sessions, routes.status, layer2=report, doubts=doubts)


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
