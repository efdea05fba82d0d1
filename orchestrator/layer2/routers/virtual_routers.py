"""All virtual routers of a host: adverts find their router, timers theirs, groups settle.

Times are seconds of one monotonic clock.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from orchestrator.layer2.actions import Action, Take
from orchestrator.layer2.frames.vrrp import Packet, Rejection, decode
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.adverts import family_of_router
from orchestrator.layer2.routers.report import Report
from orchestrator.layer2.routers.sync_groups import settle
from orchestrator.layer2.routers.timer import advert_interval_s
from orchestrator.layer2.routers.tracking import Facts, standing
from orchestrator.layer2.routers.virtual_router import VirtualRouterMachine
from orchestrator.model.virtual_router import VirtualRouter

_Place: TypeAlias = tuple[str, int, int]
"""Interface, family and VRID."""


def _place(router: VirtualRouter) -> _Place:
    return router.interface, family_of_router(router).value, router.vrid


class _Entry:
    """One machine, and the earliest time that the queue of timers has for it."""

    def __init__(self, machine: VirtualRouterMachine) -> None:
        self.machine = machine
        self.queued: float | None = None


class VirtualRouters:
    """Every virtual router of one host; nothing starts before its interfaces are known."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._leaving: list[_Entry] = []
        self._places: dict[_Place, _Entry] = {}
        self._groups: dict[str | None, list[_Entry]] = {}
        self._timers: list[tuple[float, int, _Entry]] = []
        self._order = 0
        self._ports: Mapping[str, Port] | None = None
        self._facts = self._known = Facts()
        """As told, and with the state of `ports`."""
        self._rejected: Counter[tuple[str, Rejection]] = Counter()

    # Input

    def want(self, routers: Sequence[VirtualRouter], now: float) -> list[Action]:
        """Run exactly these; one that is gone, or is now another one, leaves.

        A change of anything but interface, VRID, version and family restarts no election.
        """
        wanted = {router.name: router for router in routers}
        actions: list[Action] = []
        for name, entry in list(self._entries.items()):
            router = wanted.get(name)
            if router is None or not _same(router, entry.machine.router):
                actions += self._remove(name, now)
            elif router != entry.machine.router:
                actions += entry.machine.want(router, standing(router, self._known), now)
        for router in routers:
            if router.name not in self._entries:
                actions += self._add(router, now)
        self._index()
        return self._settled([*actions, *self._start(now)], self._groups, now)

    def ports(self, ports: Mapping[str, Port], now: float) -> list[Action]:
        """Take the interfaces as they are now; every Ethernet interface there is, by name."""
        before, self._ports = self._ports or {}, dict(ports)
        actions: list[Action] = []
        for entry in self._every():
            name = entry.machine.router.interface
            if before.get(name) != ports.get(name):
                actions += entry.machine.port(ports.get(name), now)
        return [*actions, *self._stand(now)]

    def track(self, facts: Facts, now: float) -> list[Action]:
        """Take results of what is tracked; interfaces named there need not be in `ports`."""
        self._facts = facts
        return self._stand(now)

    def receive(self, port: str, packet: Packet, now: float) -> list[Action]:
        """Take a packet of protocol 112 that came in on `port`; it never raises."""
        entry = self._of(port, packet)
        if isinstance(entry, Rejection):
            self._rejected[port, entry] += 1
            return []
        before = entry.machine.posture
        actions = entry.machine.receive(packet, now)
        self._set_timer(entry)
        group = entry.machine.router.sync_group
        moved = group is not None and entry.machine.posture != before
        return self._settled(actions, (group,) if moved else (), now)

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        while self._timers:
            due, _, entry = self._timers[0]
            if due == entry.queued == entry.machine.next_timer():
                return due
            heapq.heappop(self._timers)
            if due == entry.queued:
                entry.queued = None
                self._set_timer(entry)
        return None

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due."""
        actions: list[Action] = []
        groups: dict[str | None, None] = {}
        due = self.next_timer()
        while due is not None and due <= now:
            entry = heapq.heappop(self._timers)[2]
            entry.queued, before = None, entry.machine.posture
            actions += entry.machine.handle_timer(now)
            if entry.machine.posture != before:
                groups[entry.machine.router.sync_group] = None
            self._set_timer(entry)
            due = self.next_timer()
        return self._settled(actions, groups, now)

    def step_back(self, now: float, slept_s: float = math.inf) -> list[Action]:
        """Be Master of nothing that others may have taken over while the process slept; listen.

        A router goes on whose other routers wait longer than `slept_s` for its adverts.
        """
        actions: list[Action] = []
        for entry in self._entries.values():
            if slept_s > 3 * advert_interval_s(entry.machine.router):
                actions += entry.machine.step_back(now)
        self._set_timers(self._every())
        return self._settled(actions, self._groups, now)

    def leave(self, now: float) -> list[Action]:
        """Stop all; call on until `finished`, as addresses are answered for until then."""
        actions = [action for name in list(self._entries) for action in self._remove(name, now)]
        self._index()
        return self._settled(actions, (), now)

    @property
    def finished(self) -> bool:
        """Tell whether nothing runs and nothing is handed over any more."""
        return not self._entries and not self._leaving

    def report(self) -> Report:
        """Return all there is to tell, in the order of names."""
        machines = (self._entries[name].machine for name in sorted(self._entries))
        return Report(tuple(machine.report() for machine in machines), dict(self._rejected))

    # Adverts

    def _of(self, port: str, packet: Packet) -> _Entry | Rejection:
        """Find the router that a packet is for, or why there is none.

        The router itself counts what is wrong with a packet.
        """
        vrid = packet.payload[1] if len(packet.payload) > 1 else 0
        entry = self._places.get((port, packet.source.version, vrid))
        if entry is not None:
            return entry
        advert = decode(packet)
        return advert if isinstance(advert, Rejection) else Rejection.UNKNOWN_VRID

    # Coming and going

    def _add(self, router: VirtualRouter, now: float) -> list[Action]:
        """Begin; who hands over at this place has its successor."""
        port = None if self._ports is None else self._ports.get(router.interface)
        worth = standing(router, self._known)
        self._entries[router.name] = _Entry(VirtualRouterMachine(router, port, worth, now))
        places = (entry.machine for entry in self._leaving if _same(entry.machine.router, router))
        return [action for machine in places for action in machine.cut_short()]

    def _remove(self, name: str, now: float) -> list[Action]:
        entry = self._entries.pop(name)
        actions = entry.machine.leave(now)
        self._leaving.append(entry)
        self._set_timer(entry)
        return actions

    def _start(self, now: float) -> list[Action]:
        if self._ports is None:
            return []
        actions = [a for entry in self._entries.values() for a in entry.machine.start(now)]
        self._set_timers(self._entries.values())
        return actions

    def _every(self) -> Iterator[_Entry]:
        yield from self._entries.values()
        yield from self._leaving

    def _index(self) -> None:
        self._places, self._groups = {}, {}
        for entry in (*self._leaving, *self._entries.values()):
            router = entry.machine.router
            self._places[_place(router)] = entry
        for entry in self._entries.values():
            group = entry.machine.router.sync_group
            if group is not None:
                self._groups.setdefault(group, []).append(entry)

    # Priorities and groups

    def _stand(self, now: float) -> list[Action]:
        """Judge every router by what is known now."""
        up = {name: port.up for name, port in (self._ports or {}).items()}
        self._known = replace(self._facts, interfaces={**up, **self._facts.interfaces})
        actions: list[Action] = []
        for entry in self._entries.values():
            actions += entry.machine.stand(standing(entry.machine.router, self._known), now)
        return self._settled([*actions, *self._start(now)], self._groups, now)

    def _settled(
        self, actions: list[Action], groups: Iterable[str | None], now: float
    ) -> list[Action]:
        """Add what follows for sync groups, and for who was handing over what is taken now."""
        for group in groups:
            entries = self._groups.get(group, ())
            actions += settle([entry.machine for entry in entries], now)
            self._set_timers(entries)
        return self._succeeded(actions) if self._leaving else actions

    def _succeeded(self, actions: list[Action]) -> list[Action]:
        """Release what a router that stops still has, before another of this host takes it."""
        taken = {(a.port, a.address) for a in actions if isinstance(a, Take)}
        released: list[Action] = []
        for entry in self._leaving:
            if not taken.isdisjoint(entry.machine.places):
                released += entry.machine.cut_short()
        if any(entry.machine.finished for entry in self._leaving):
            self._leaving = [entry for entry in self._leaving if not entry.machine.finished]
            self._index()
        return [*released, *actions]

    # Timers

    def _set_timers(self, entries: Iterable[_Entry]) -> None:
        for entry in entries:
            self._set_timer(entry)

    def _set_timer(self, entry: _Entry) -> None:
        """Queue a timer that comes sooner than the queue knows; a later one is found when it is up."""
        due = entry.machine.next_timer()
        if due is not None and (entry.queued is None or due < entry.queued):
            entry.queued = due
            self._order += 1
            heapq.heappush(self._timers, (due, self._order, entry))


def _same(one: VirtualRouter, other: VirtualRouter) -> bool:
    """Tell whether two configurations are of the same virtual router on the wire."""
    return (_place(one), one.version) == (_place(other), other.version)
