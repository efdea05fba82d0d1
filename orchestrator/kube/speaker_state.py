"""SpeakerState: what a node announces, and how its sessions are (DESIGN 9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orchestrator.kube.events import limited
from orchestrator.kube.resources import SPEAKER_STATES
from orchestrator.kube.writes import Document, Report, Write, difference, report
from orchestrator.model.address import IPNetwork
from orchestrator.model.layer2_report import MemberReport, Trouble
from orchestrator.model.policy import Peer
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus

RENEWED = "renewTime"
MAX_UNFLUSHED = 50
"""Most routes that are named one by one."""
MAX_TROUBLES = 50
"""Most troubles of layer 2 that are told."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of this node; `since` is when its state began (RFC 3339).

    `desired_ipv6` counts those of its desired routes that are of IPv6.
    """

    peer: Peer
    state: SessionState
    since: str
    desired_ipv6: int = 0


@dataclass(frozen=True, slots=True)
class Unflushed:
    """A route that is not yet on its session."""

    peer: str
    prefix: IPNetwork
    state: RouteStatus


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a segment; `heard` is when it was heard last (RFC 3339)."""

    interface: str
    report: MemberReport
    heard: str


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """All that a speaker tells of its node.

    `unflushed` and `troubles` may be any number. `owned` counts the addresses that the node answers
    for on layer 2. `lb_class` and `ignore_exclude_label` are the flags that the speaker runs with.
    """

    node: str
    version: str
    sessions: tuple[Session, ...] = ()
    unflushed: tuple[Unflushed, ...] = ()
    owned: int = 0
    members: tuple[Member, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    lb_class: str | None = None
    ignore_exclude_label: bool = False


def write(
    namespace: str, told: SpeakerReport, observed: Document | None, at: str, *, renew: bool = False
) -> list[Write]:
    """Return the writes that make the node's SpeakerState say `told`; none when it does.

    With any change it says that this was told `at` (RFC 3339), and without one if it is to `renew`.
    """
    status, before = status_of(told), (observed or {}).get("status") or {}
    known = {name: value for name, value in before.items() if name != RENEWED}
    last = before.get(RENEWED)
    changed = renew or not last or bool(difference(known, status))
    status[RENEWED] = at if changed else last
    return report(Report(SPEAKER_STATES, namespace, told.node, {}, status), observed)


def status_of(told: SpeakerReport) -> dict[str, Any]:
    """Return the status, in the words of the definition; the order of lists is always the same."""
    sessions = sorted(told.sessions, key=lambda one: one.peer.name)
    unflushed = sorted(told.unflushed, key=_place)[:MAX_UNFLUSHED]
    members = sorted(told.members, key=lambda one: (one.interface, one.report.node))
    return {
        "node": told.node,
        "version": told.version,
        "sessions": [_session(one) for one in sessions],
        **_summary(one.state for one in sessions),
        "routes": _routes(one.state for one in sessions),
        "unflushed": [
            {"peer": one.peer, "prefix": str(one.prefix), "state": one.state.value}
            for one in unflushed
        ],
        "owned": told.owned,
        "members": [_member(one) for one in members],
        "layer2": [_trouble(one) for one in told.troubles[:MAX_TROUBLES]],
        **({"loadBalancerClass": told.lb_class} if told.lb_class is not None else {}),
        "ignoreExcludeLabel": told.ignore_exclude_label,
    }


def _summary(states: Iterable[SessionState]) -> dict[str, str]:
    """Return what `kubectl get` shows of the sessions: how many are up, and why others are not."""
    found = list(states)
    down = [one for one in found if one.status is not SessionStatus.UP]
    errors = "; ".join(f"{one.peer}: {one.last_error or one.status.value}" for one in down)
    established = {"established": f"{len(found) - len(down)}/{len(found)}"}
    return {**established, "lastError": limited(errors)} if errors else established


def _place(route: Unflushed) -> tuple[str, int, int, int]:
    prefix = route.prefix
    return (route.peer, prefix.version, int(prefix.network_address), prefix.prefixlen)


def _session(session: Session) -> dict[str, Any]:
    peer, state = session.peer, session.state
    error = {"lastError": limited(state.last_error)} if state.last_error else {}
    return {
        "peer": peer.name,
        "address": str(peer.address),
        "port": peer.port,
        "myASN": peer.session_asn,
        "peerASN": peer.peer_asn,
        "state": state.status.value,
        "since": session.since,
        **error,
        "routes": _routes([state]),
        "desiredIPv6": session.desired_ipv6,
    }


def _routes(states: Iterable[SessionState]) -> dict[str, int]:
    counts = [(one.desired, one.sent, one.flushed) for one in states]
    desired, sent, flushed = (sum(column) for column in zip((0, 0, 0), *counts, strict=True))
    return {"desired": desired, "sent": sent, "flushed": flushed}


def _member(member: Member) -> dict[str, str]:
    """Say when it was heard of one that has fallen silent only: else that changes all the time."""
    told = {"interface": member.interface, "node": member.report.node, "state": member.report.state}
    return told if member.report.alive else {**told, "lastHeard": member.heard}


def _trouble(trouble: Trouble) -> dict[str, str]:
    address = {} if trouble.address is None else {"address": str(trouble.address)}
    by = {"by": trouble.by} if trouble.by else {}
    return {
        **address,
        "interface": trouble.interface,
        "reason": trouble.code,
        **by,
        "message": trouble.message,
    }
