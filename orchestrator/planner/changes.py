"""What changed between two moments: sessions, verdicts, health, configuration, drain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.model.alike import common_ends
from orchestrator.model.change import Change
from orchestrator.model.local import DrainPhase
from orchestrator.model.plan import Plan, Verdict
from orchestrator.model.session_state import SessionState
from orchestrator.model.virtual_ip import Health
from orchestrator.planner.elected import may_answer

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Moment:
    """All that is watched for changes, at one moment."""

    node: str
    plan: Plan = field(default_factory=Plan)
    sessions: Mapping[str, SessionState] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    config_valid: bool = True
    backend_reachable: bool = False
    drain: DrainPhase = DrainPhase.NONE


def changes(before: Moment, after: Moment) -> Iterator[Change]:
    """Yield every change from `before` to `after`; equal moments yield nothing."""
    yield from _flag("config", "valid", "invalid", before.config_valid, after.config_valid)
    yield from _flag(
        "backend", "reachable", "unreachable", before.backend_reachable, after.backend_reachable
    )
    if before.drain is not after.drain:
        yield Change("drain", before.drain.value, after.drain.value, node=after.node)
    if before.health != after.health:
        for name, old, new in _differing(before.health, after.health):
            yield Change("health", _value(old), _value(new), service=f"virtualip/{name}")
    yield from _session_changes(before, after)
    if before.plan is not after.plan:
        yield from _verdict_changes(before.plan, after.plan)


def _value(health: Health | None) -> str | None:
    return health.value if health else None


def _flag(kind: str, yes: str, no: str, before: bool, after: bool) -> Iterator[Change]:
    words = {True: yes, False: no}
    if before is not after:
        yield Change(kind, words[before], words[after])


def _differing(
    before: Mapping[K, V], after: Mapping[K, V]
) -> Iterator[tuple[K, V | None, V | None]]:
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old != new:
            yield key, old, new


def _session_changes(before: Moment, after: Moment) -> Iterator[Change]:
    old = {name: state.status.value for name, state in before.sessions.items()}
    new = {name: state.status.value for name, state in after.sessions.items()}
    for peer, was, is_now in _differing(old, new):
        error = after.sessions[peer].last_error if peer in after.sessions else "no longer wanted"
        reason = "peerDown" if is_now == "down" else None
        message = (error or "") if is_now != "up" else ""
        yield Change(
            "session", was, is_now, reason=reason, message=message, node=after.node, peer=peer
        )


VerdictKey = tuple[object, object, str, object]


def _by_key(verdicts: Sequence[Verdict]) -> dict[VerdictKey, Verdict]:
    return {(v.service, v.address, v.node, v.protocol): v for v in verdicts}


def _verdict_changes(before: Plan, after: Plan) -> Iterator[Change]:
    # Verdicts are sorted and unchanged ones are kept: only what lies between them may differ.
    head, tail = common_ends(before.verdicts, after.verdicts)
    old = _by_key(before.verdicts[head : len(before.verdicts) - tail])
    new = _by_key(after.verdicts[head : len(after.verdicts) - tail])
    for key in {**old, **new}:
        was, is_now = old.get(key), new.get(key)
        if (was and was.reason) == (is_now and is_now.reason) or _left_to_layer2(was, is_now):
            continue
        subject = is_now or was
        assert subject is not None
        yield Change(
            "vip",
            was.reason.value if was else None,
            is_now.reason.value if is_now else None,
            reason=is_now.reason.value if is_now else "serviceDeleted",
            message=is_now.message if is_now else "no longer wanted",
            service=str(subject.service),
            vip=str(subject.address),
            node=subject.node,
        )


def _left_to_layer2(was: Verdict | None, is_now: Verdict | None) -> bool:
    """Tell whether the plan only says that this node may answer: who does is the segment's news."""
    return is_now is not None and may_answer(is_now) and (was is None or may_answer(was))
