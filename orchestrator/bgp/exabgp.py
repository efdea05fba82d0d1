"""The conversation with one ExaBGP: all its peers, its configuration, its answers. Sans-I/O.

Answers carry no name and come in the order of the commands, save those that ExaBGP gives at once
(reload, teardown, End-of-RIB to a peer that is down). So commands that are not routes are sent
alone: nothing else is under way while their answer is awaited.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orchestrator.bgp import command, events
from orchestrator.bgp.actions import (
    Action,
    Changed,
    Note,
    Reconnect,
    SendLine,
    WriteConfiguration,
    one_change,
)
from orchestrator.bgp.adj_rib_out import AdjRibOut, Phase
from orchestrator.bgp.questions import (
    Asked,
    Question,
    about_ends,
    about_reload,
    digests,
)
from orchestrator.bgp.reload import Reload, Step
from orchestrator.bgp.render import Neighbor, Rendering, Surroundings, render
from orchestrator.bgp.report import problems_of
from orchestrator.bgp.sessions import SessionBook
from orchestrator.model.address import IPAddress, IPNetwork
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Problem
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionState

WINDOW = 40
"""Worth of route commands that wait for an answer at once (DESIGN 5, rule 7)."""
RETRY_S = 1.0
"""Pause before a query that failed is asked again."""
PROGRESS_S = 0.5
"""How often progress is told while routes are still on their way."""
NO_RIB: Rib = {}


class Conversation:
    """Brings one ExaBGP to the wanted sessions and routes. Times are seconds of a steady clock."""

    def __init__(self) -> None:
        self._rendering: Rendering | None = None
        self._inputs: tuple[Sequence[Session], Surroundings] | None = None
        self._ribs: dict[IPAddress, AdjRibOut] = {}
        self._leaving: dict[IPAddress, AdjRibOut] = {}
        self._book = SessionBook()
        self._reload = Reload()
        self._connected = False
        self._neighbors_known = False
        self._look_again = False
        self._buffer = bytearray()
        self._under_way: deque[Asked] = deque()
        self._weight = 0
        self._answering = Asked()
        self._retry_at: float | None = None
        self._told_at = 0.0
        self._out: list[Action] = []

    # Inputs

    def want(
        self,
        sessions: Sequence[Session],
        ribs: Mapping[str, Rib],
        around: Surroundings,
        now: float,
    ) -> list[Action]:
        """Take the whole desired state."""
        inputs = (tuple(sessions), around)
        if self._inputs != inputs:
            self._inputs = inputs
            self._take_rendering(render(sessions, around), now)
        for neighbor in self._neighbors():
            self._ribs[neighbor.link.address].want(ribs.get(neighbor.peer, NO_RIB))
        for leaving in self._leaving.values():
            leaving.narrow(ribs)  # a reload may be long in coming, a withdraw must not be (P2)
        return self._advance(now)

    def connected(self, now: float) -> list[Action]:
        """Take note of a fresh connection: ask what there is before anything is sent."""
        self._connected = True
        self._reset()
        return self._advance(now)

    def disconnected(self, now: float) -> list[Action]:
        """Take note that ExaBGP, or the way to it, is gone."""
        self._connected = False
        self._book.lost(now)
        self._reset()
        return [*self._drain(), Changed()]

    def receive(self, data: bytes, now: float) -> list[Action]:
        """Take what ExaBGP wrote."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        if len(rest) > events.LINE_LIMIT:
            self._out.append(Reconnect("a line without end"))
        for line in lines:
            self._take(events.parse(line.decode("ascii", "replace")), now)
        return self._advance(now)

    def next_timer(self) -> float | None:
        """When `handle_timer` is to be called, if at all."""
        if not self._connected:
            return None
        ribs = (rib.next_timer() for rib in self._all_ribs())
        timers = (*ribs, self._reload.next_timer(), self._retry_at)
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> list[Action]:
        """Do what time asks for."""
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
        for rib in self._all_ribs():
            rib.handle_timer(now)
        return self._advance(now)

    # What there is to know

    @property
    def reachable(self) -> bool:
        """Tell whether ExaBGP answered what it has."""
        return self._connected and self._neighbors_known and self._reload.known

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What cannot be done of what is wanted."""
        return problems_of(self._rendering, self._ribs, file_refused=self._reload.refused)

    def sessions(self) -> dict[str, SessionState]:
        """State of every wanted session, by peer name."""
        states = self._book.refused(self._rendering)
        for neighbor in self._neighbors():
            address = neighbor.link.address
            rib = self._ribs[address]
            state = self._book.state(
                neighbor.peer, address, rib.counts(), connected=self._connected
            )
            states[neighbor.peer] = replace(state, updates=rib.updates, settled=rib.settled)
        return states

    def route_status(self, peer: str, prefix: IPNetwork) -> RouteStatus:
        """How far the desired route for `prefix` got towards `peer`."""
        for neighbor in self._neighbors():
            if neighbor.peer == peer:
                return self._ribs[neighbor.link.address].status(prefix)
        return RouteStatus.DESIRED

    def extended_next_hops(self, peers: Iterable[Peer]) -> frozenset[str]:
        """Names of those that take IPv4 routes with an IPv6 next hop (RFC 8950), or yet may."""
        declined = {n.peer for n in self._neighbors() if self._book.declines(n.link.address)}
        offered = (peer.name for peer in peers if peer.offers_extended_next_hop)
        return frozenset(name for name in offered if name not in declined)

    def holding(self, now: float) -> frozenset[IPNetwork]:
        """Prefixes that any peer may still have from us."""
        return frozenset().union(*(rib.holding(now) for rib in self._all_ribs()))

    # Wanted sessions

    def _neighbors(self) -> tuple[Neighbor, ...]:
        return self._rendering.neighbors if self._rendering else ()

    def _take_rendering(self, rendering: Rendering, now: float) -> None:
        old, self._rendering = self._rendering, rendering
        if old is None or old.text != rendering.text:
            self._out.append(WriteConfiguration(rendering.text))
        wanted = {neighbor.link.address: neighbor for neighbor in rendering.neighbors}
        for address in self._ribs.keys() - wanted.keys():
            leaving = self._leaving[address] = self._ribs.pop(address)
            if leaving.graceful_restart:
                leaving.want({})
        for address in wanted.keys() - self._ribs.keys():
            back = self._leaving.pop(address) if address in self._leaving else None
            self._ribs[address] = back or self._new(wanted[address])
        self._book.expect((*wanted, *self._leaving), now)
        self._reload.want({address: n.digest for address, n in wanted.items()}, now)
        if not self._reload.pending:
            self._in_force()

    def _new(self, neighbor: Neighbor) -> AdjRibOut:
        rib = AdjRibOut(neighbor.link, graceful_restart=neighbor.graceful_restart)
        if self._connected:
            self._begin(neighbor.link.address, rib)
        return rib

    def _in_force(self) -> None:
        """Do what was waiting for the new configuration to be in force."""
        self._leaving.clear()
        for neighbor in self._neighbors():
            rib = self._ribs[neighbor.link.address]
            rib.relink(neighbor.link, graceful_restart=neighbor.graceful_restart)

    # What ExaBGP says

    def _reset(self) -> None:
        self._neighbors_known = False
        self._look_again = False
        self._buffer.clear()
        self._under_way.clear()
        self._weight = 0
        self._retry_at = None
        self._reload.forget()
        for rib in self._all_ribs():
            rib.lost()

    def _take(self, event: events.Event, now: float) -> None:
        match event:
            case events.UpdateSent() | events.Negotiated():
                self._learn(event, now)
            case events.Answer():
                self._take_answer(event.ok, now)
            case events.StateEvent():
                self._take_state(event, now)
            case events.ShownRoute():
                rib = self._rib(event.peer)
                if rib is not None:
                    rib.shown(event.change)
            case events.Neighbors() | events.ConfigurationLine():
                if self._under_way:
                    self._under_way[0].lines.append(event)
            case events.ShuttingDown():
                self._out.append(Note("warning", "ExaBGP is shutting down"))

    def _tell_progress(self, rib: AdjRibOut, now: float) -> None:
        if rib.settled or now - self._told_at >= PROGRESS_S:
            self._told_at = now
            self._out.append(Changed())

    def _learn(self, event: events.UpdateSent | events.Negotiated, now: float) -> None:
        extended, rib = event.extended_next_hop, self._rib(event.peer)
        if rib is None:
            return
        if extended is not None:
            rib.negotiated(extended_next_hop=extended)
            if self._book.negotiated(event.peer, extended_next_hop=extended):
                self._out.append(Changed())
        if isinstance(event, events.UpdateSent):
            rib.flushed(event, now)
            self._tell_progress(rib, now)

    def _all_ribs(self) -> list[AdjRibOut]:
        return [*self._ribs.values(), *self._leaving.values()]

    def _rib(self, address: IPAddress) -> AdjRibOut | None:
        return self._ribs.get(address) or self._leaving.get(address)

    def _take_answer(self, ok: bool, now: float) -> None:
        if not self._under_way:
            self._out.append(Reconnect("an answer to no command"))
            return
        asked = self._under_way.popleft()
        if asked.line is not None and asked.rib is not None:
            self._weight -= asked.line.weight
            if ok:
                asked.rib.accepted(asked.line.changes, now)
            else:
                self._out.append(
                    Note("error", "ExaBGP refused a command", {"command": asked.line.text})
                )
                asked.rib.rejected(asked.line.changes)
        elif asked.done is not None:
            self._answering = asked
            asked.done(ok, now)

    def _take_state(self, event: events.StateEvent, now: float) -> None:
        if event.state not in {"up", "down"}:
            return
        note = self._book.take(event, now)
        rib = self._rib(event.peer)
        if rib is not None:
            if event.state == "up":
                rib.up(event.local)
                self._look_again = True  # it alone tells which families were agreed on
            else:
                rib.down(now)
        self._out += [note, Changed()] if note is not None else [Changed()]

    # What is to be asked

    def _advance(self, now: float) -> list[Action]:
        if self._connected:
            leaving = self._leaving.values()
            self._reload.advance(
                now,
                said_farewell=all(r.settled or r.phase is not Phase.LIVE for r in leaving),
                blocked=any(rib.unflushed for rib in self._all_ribs()),
            )
            if not self._ask_alone(now):
                self._send_routes(now)
        return self._drain()

    def _drain(self) -> list[Action]:
        out, self._out = one_change(self._out), []
        return out

    def _ask_alone(self, now: float) -> bool:
        """Send what must be alone, if there is any; True while routes must wait for it."""
        if self._under_way and self._under_way[0].line is None:
            return True
        waiting = self._retry_at is not None and now < self._retry_at
        question = None if waiting else self._question()
        if question is None:
            return False
        if not self._under_way:
            if question.note is not None:
                self._out.append(question.note)
            if question.text == command.RELOAD and self._rendering is not None:
                self._out.append(WriteConfiguration(self._rendering.text))
            self._under_way.append(Asked(done=question.done))
            self._out.append(SendLine(question.text))
        return True

    def _question(self) -> Question | None:
        if not self._neighbors_known or self._look_again:
            return Question(command.SHOW_NEIGHBORS, self._told_neighbors)
        if not self._reload.known or self._reload.step is Step.VERIFY:
            return Question(command.SHOW_CONFIGURATION, self._told_configuration)
        unflushed = (rib for rib in self._all_ribs() if rib.unflushed)
        urgent = self._about_ribs() or about_reload(self._reload, unflushed)
        return urgent or (None if self._reload.paused else about_ends(self._ribs.values()))

    def _about_ribs(self) -> Question | None:
        epochs = [(r, r.epoch) for r in self._ribs.values() if r.phase is Phase.ASKING]
        if not epochs:
            return None

        def told(ok: bool, now: float) -> None:
            for rib, epoch in epochs:
                if ok and rib.epoch == epoch:
                    rib.shown_all()
                else:
                    rib.restart_showing()
            self._retry_at = None if ok else now + RETRY_S

        if len(epochs) > 1:
            return Question(command.SHOW_ADJ_RIB_OUT, told)
        return Question(command.show_adj_rib_out(epochs[0][0].link.address), told)

    def _send_routes(self, now: float) -> None:
        if self._reload.paused:
            return
        progress = True
        while progress and self._weight < WINDOW:
            progress = False
            for rib in self._all_ribs():
                # in turns, so that one peer with much to do does not keep the others waiting
                share = min(WINDOW - self._weight, max(1, WINDOW // 4))
                for line in rib.take(share, now):
                    self._under_way.append(Asked(line=line, rib=rib))
                    self._weight += line.weight
                    self._out.append(SendLine(line.text))
                    progress = True

    # What was told

    def _told_neighbors(self, ok: bool, now: float) -> None:
        lines = [one for one in self._answering.lines if isinstance(one, events.Neighbors)]
        if not ok or not lines:
            self._retry_at = now + RETRY_S
            return
        self._neighbors_known, self._look_again = True, False
        self._out.append(Changed())
        self._out += self._book.take_all(lines[-1].states, now)
        for address, rib in (*self._ribs.items(), *self._leaving.items()):
            if not self._book.is_up(address):
                rib.down(now)
            elif rib.phase is not Phase.LIVE:
                self._begin(address, rib)

    def _begin(self, address: IPAddress, rib: AdjRibOut) -> None:
        if self._book.is_up(address):
            rib.up(self._book.local(address), self._book.families(address))

    def _told_configuration(self, ok: bool, now: float) -> None:
        if not ok:
            self._retry_at = now + RETRY_S
            return
        self._reload.in_force(digests(self._answering.lines), now)
        if not self._reload.pending:
            self._in_force()
        self._out.append(Changed())
