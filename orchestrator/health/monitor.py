"""The health of many VIPs: when to probe, and what the results add up to.

Takes results and the time, gives back actions and the next timer; does nothing by itself. Times are
seconds of one monotonic clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.health.actions import (
    Action,
    CancelProbe,
    HealthChanged,
    LookForDisableFile,
    StartProbe,
)
from orchestrator.health.tally import Tally
from orchestrator.model.virtual_ip import Check, Health

LOOK_INTERVAL_S = 1.0
"""Longest time until a disable file takes effect; looking costs one system call."""


@dataclass(slots=True)
class _Watched:
    """One check.

    `looked` tells whether the disable file has been looked for since it was named, `queued` which
    times are in the queue of timers for it.
    """

    name: str
    check: Check
    tally: Tally
    shown: Health | None
    due: float
    look_due: float
    looked: bool
    disabled: bool = False
    probe_id: int | None = None
    started: float = 0.0
    detail: str = ""
    queued: set[float] = field(default_factory=set)

    def judged(self) -> Health | None:
        """Return what is to be shown now; None while too little is known to say."""
        if self.disabled:
            return Health.DISABLED
        if self.tally.up is None or not self.looked:
            return self.shown
        return Health.UP if self.tally.up else Health.DOWN

    def interval_s(self) -> float:
        """Return the time from the start of one probe to that of the next."""
        check = self.check
        return (check.fast_interval_ms if self.tally.unsure else check.interval_ms) / 1000


class HealthMonitor:
    """Decides about the health of VIPs from the results of their probes.

    A check that is new starts from `known`, the health a predecessor left: then it takes `rise` or
    `fall` results to change it, so that a restart flaps nothing. Otherwise its first result decides.
    The first probes of many new checks are spread evenly over one interval.
    """

    def __init__(self, known: Mapping[str, Health] | None = None) -> None:
        self._known = dict(known or {})
        self._watched: dict[str, _Watched] = {}
        self._timers: list[tuple[float, str]] = []
        self._last_probe_id = 0

    def health(self) -> Mapping[str, Health]:
        """Return the health of every VIP of which it is known."""
        return {
            name: watched.shown
            for name, watched in self._watched.items()
            if watched.shown is not None
        }

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        while self._timers:
            due, name = self._timers[0]
            watched = self._watched.get(name)
            if watched is not None and due in self._dues(watched):
                return due
            heapq.heappop(self._timers)
            if watched is not None:
                watched.queued.discard(due)
        return None

    def want(self, checks: Mapping[str, Check], now: float) -> list[Action]:
        """Watch exactly these checks; one that changed keeps its health."""
        actions: list[Action] = []
        for name in [name for name in self._watched if name not in checks]:
            actions.extend(self._cancel(self._watched.pop(name)))
        for name in sorted(checks.keys() & self._watched.keys()):
            actions.extend(self._change(self._watched[name], checks[name], now))
        new = sorted(checks.keys() - self._watched.keys())
        for index, name in enumerate(new):
            self._add(name, checks[name], now, index / len(new))
        return [*actions, *self.handle_timer(now)]

    def result(self, name: str, probe_id: int, ok: bool, detail: str, now: float) -> list[Action]:
        """Take the result of a probe; one that is not awaited any more is ignored."""
        watched = self._watched.get(name)
        if watched is None or watched.probe_id != probe_id:
            return []
        watched.probe_id = None
        watched.detail = detail
        watched.tally.take(ok=ok, rise=watched.check.rise, fall=watched.check.fall)
        watched.due = max(now, watched.started + watched.interval_s())
        self._set_timer(watched)
        return [*self._show(watched), *self.handle_timer(now)]

    def disabled(self, name: str, present: bool, now: float) -> list[Action]:
        """Take whether the disable file is there."""
        watched = self._watched.get(name)
        if watched is None or watched.check.disable_file is None:
            return []
        watched.looked, watched.disabled = True, present
        watched.look_due = now + LOOK_INTERVAL_S
        self._set_timer(watched)
        return self._show(watched)

    def handle_timer(self, now: float) -> list[Action]:
        """Start what is due."""
        actions: list[Action] = []
        due = self.next_timer()
        while due is not None and due <= now:
            watched = self._watched[heapq.heappop(self._timers)[1]]
            watched.queued.discard(due)
            actions.extend(self._start(watched, now))
            due = self.next_timer()
        return actions

    def _start(self, watched: _Watched, now: float) -> Iterable[Action]:
        path = watched.check.disable_file
        if path is not None and watched.look_due <= now:
            watched.look_due = now + LOOK_INTERVAL_S
            yield LookForDisableFile(watched.name, path)
        if watched.probe_id is None and watched.due <= now:
            self._last_probe_id += 1
            watched.probe_id, watched.started = self._last_probe_id, now
            timeout_s = watched.check.timeout_ms / 1000
            yield StartProbe(watched.name, watched.probe_id, watched.check.probe, timeout_s)
        self._set_timer(watched)

    def _add(self, name: str, check: Check, now: float, share: float) -> None:
        """Begin to watch; with `known` health there is no hurry."""
        shown = self._known.pop(name, None)
        up = None if shown is None or shown is Health.DISABLED else shown is Health.UP
        window_ms = check.fast_interval_ms if up is None else check.interval_ms
        watched = _Watched(
            name=name,
            check=check,
            tally=Tally(up),
            shown=shown,
            due=now + share * window_ms / 1000,
            look_due=now,
            looked=check.disable_file is None,
        )
        self._watched[name] = watched
        self._set_timer(watched)

    def _change(self, watched: _Watched, check: Check, now: float) -> Iterable[Action]:
        former, watched.check = watched.check, check
        if former == check:
            return
        if former.disable_file != check.disable_file:
            watched.looked = check.disable_file is None
            watched.disabled = watched.disabled and not watched.looked
            watched.look_due = now
        if former.probe != check.probe:
            yield from self._cancel(watched)
            watched.tally.against = 0
        watched.due = min(watched.due, now + watched.interval_s())
        self._set_timer(watched)
        yield from self._show(watched)

    @staticmethod
    def _cancel(watched: _Watched) -> Iterable[Action]:
        if watched.probe_id is not None:
            yield CancelProbe(watched.name, watched.probe_id)
            watched.probe_id = None

    @staticmethod
    def _show(watched: _Watched) -> list[Action]:
        old, new = watched.shown, watched.judged()
        if new is None or new is old:
            return []
        watched.shown = new
        detail = "disable file" if new is Health.DISABLED else watched.detail
        return [HealthChanged(watched.name, old, new, detail)]

    @staticmethod
    def _dues(watched: _Watched) -> list[float]:
        dues = [watched.due] if watched.probe_id is None else []
        if watched.check.disable_file is not None:
            dues.append(watched.look_due)
        return dues

    def _set_timer(self, watched: _Watched) -> None:
        for due in self._dues(watched):
            if due in watched.queued:
                continue
            watched.queued.add(due)
            heapq.heappush(self._timers, (due, watched.name))
