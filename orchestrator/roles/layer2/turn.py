"""The loop of the layer2 process: each turn reads, decides and sends in a fixed order (DESIGN 8.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from orchestrator.adapters import clock
from orchestrator.adapters.kernel.port_sockets import PortSockets
from orchestrator.layer2.actions import Became, Emit, Event, Send
from orchestrator.layer2.engine import Engine, Output
from orchestrator.layer2.port import Port
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_report import Lateness

ADVERTS_A_TURN = 64
"""Packets taken from one port before timers are looked at again; the others wait in the kernel."""
QUESTIONS_A_TURN = 64
CALM_S = 1.0
"""Routine hellos that came in a crowd are waited for until they are few for so long."""
BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds of the histogram of lateness."""
SOONEST_STALL_S = 0.03
"""Three times the shortest interval there is: less is no pause that anybody else could notice."""


class Turns:
    """Turns of the loop: one whenever a socket has something or a timer is due.

    `tell` takes what is neither sent nor answered, `after` is called after each. The order: own lateness, adverts, timers,
    questions, gratuitous frames.
    """

    def __init__(
        self, engine: Engine, tell: Callable[[Became | Event], None], after: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._tell = tell
        self._after = after
        self._sockets: dict[str, PortSockets] = {}
        self._crowded: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._again = False
        self._due: float | None = None
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._longest_s = 0.0
        self.step_backs = 0

    # Input from elsewhere

    def ports(self, ports: Mapping[str, Port]) -> None:
        """Open sockets on ports that are new, close those of ports that are gone."""
        for name in self._sockets.keys() - ports.keys():
            self._close(self._sockets.pop(name))
        for name, port in ports.items():
            known = self._sockets.get(name)
            if known is not None and known.port.index != port.index:
                self._close(self._sockets.pop(name))
            if name not in self._sockets:
                self._open(port)
            else:
                self._sockets[name].port = port
        self.ask(lambda now: self._engine.ports(ports, now))

    def _open(self, port: Port) -> None:
        sockets = PortSockets(port)
        self._sockets[port.name] = sockets
        loop = asyncio.get_running_loop()
        for descriptor in sockets.descriptors():
            spoken = descriptor in sockets.adverts.descriptors()
            loop.add_reader(descriptor, self.turn if spoken else self._asked)

    def _close(self, sockets: PortSockets) -> None:
        for descriptor in (*sockets.descriptors(), *sockets.adverts.routine_descriptors()):
            asyncio.get_running_loop().remove_reader(descriptor)
        self._crowded.pop(sockets.port.name, None)
        sockets.close()

    def close(self) -> None:
        """Close every socket and stop the timer."""
        for sockets in self._sockets.values():
            self._close(sockets)
        self._sockets.clear()
        if self._timer is not None:
            self._timer.cancel()

    def ask(self, question: Callable[[float], Iterable[Output]]) -> None:
        """Ask the engine something out of turn, and perform its answer.

        Own lateness comes first here too: a process that slept may be told something on waking.
        """
        now = clock.monotonic()
        self._overslept(now)
        self._perform(question(now))

    def _perform(self, output: Iterable[Output]) -> None:
        """Send what is to be sent, tell the rest, and set the timer anew."""
        self._send(output)
        self._set_timer()
        self._after()

    def about(self, addresses: Mapping[str, frozenset[IPAddress]]) -> None:
        """Hear ARP and neighbor discovery about these addresses on each port."""
        for name, wanted in addresses.items():
            if name in self._sockets:
                self._sockets[name].about(wanted)

    # A turn

    def _asked(self) -> None:
        """Do all there is to do now, with the questions that somebody asked."""
        self.turn(questions=True)

    def turn(self, *, questions: bool = False) -> None:
        """Do all there is to do now; who has `questions` comes by itself."""
        self._again = False
        now = clock.monotonic()
        if self._overslept(now):
            self._perform(())
            return
        for name, sockets in self._sockets.items():
            for frame, age_s in sockets.adverts.read(ADVERTS_A_TURN):
                self._send(self._engine.receive(name, frame, now - age_s))
            self._follow_crowd(sockets, now)
        self._send(self._engine.handle_timer(clock.monotonic()))
        if questions:
            self._answer()
        self._perform(self._engine.gratuitous(clock.monotonic()))

    def _follow_crowd(self, sockets: PortSockets, now: float) -> None:
        """Wake up for routine hellos too while there are more than the kernel may keep."""
        name, loop = sockets.port.name, asyncio.get_running_loop()
        if sockets.adverts.crowded:
            if name not in self._crowded:
                for descriptor in sockets.adverts.routine_descriptors():
                    loop.add_reader(descriptor, self.turn)
            self._crowded[name] = now + CALM_S
        elif now > self._crowded.get(name, now):
            del self._crowded[name]
            for descriptor in sockets.adverts.routine_descriptors():
                loop.remove_reader(descriptor)

    def _overslept(self, now: float) -> bool:
        """Note how late this turn is; after a pause that others noticed, give everything up."""
        late_s = 0.0 if self._due is None else now - self._due
        if late_s <= 0:
            return False
        self._note(late_s)
        if late_s <= SOONEST_STALL_S:
            return False
        output = self._engine.step_back(now, late_s)
        if not output:
            return False
        self.step_backs += 1
        self._drop_questions()
        self._send(output)
        return True

    def _drop_questions(self) -> None:
        """Drop what was asked while this process slept: somebody else has answered it."""
        for sockets in self._sockets.values():
            while sockets.arp.read(QUESTIONS_A_TURN) or sockets.ndp.read(QUESTIONS_A_TURN):
                continue

    def _answer(self) -> None:
        engine, now = self._engine, clock.monotonic()
        for name, sockets in self._sockets.items():
            for frame, _ in sockets.arp.read(QUESTIONS_A_TURN):
                self._send(engine.receive_arp(name, frame, now))
            for frame, _ in sockets.ndp.read(QUESTIONS_A_TURN):
                self._send(engine.receive_ndp(name, frame, now))

    def _send(self, output: Iterable[Output]) -> None:
        for one in output:
            if isinstance(one, Emit | Send):
                sockets = self._sockets.get(one.port)
                if sockets is None:
                    continue
                if isinstance(one, Emit):
                    sockets.send(one.frame)
                else:
                    sockets.send_packet(one)
            else:
                self._tell(one)

    # Timers

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._due = self._engine.next_timer()
        if due is None or self._again:
            return
        if due <= clock.monotonic():
            self._again = True
            asyncio.get_running_loop().call_soon(self.turn)
        else:
            self._timer = asyncio.get_running_loop().call_at(due, self.turn)

    def _note(self, late_s: float) -> None:
        place = next((n for n, bound in enumerate(BOUNDS_S) if late_s <= bound), len(BOUNDS_S))
        self._counts[place] += 1
        self._sum_s += late_s
        self._longest_s = max(self._longest_s, late_s)

    def lateness(self) -> Lateness:
        """Return how late timers were since the start."""
        total, counts = 0, []
        for count in self._counts:
            total += count
            counts.append(total)
        return Lateness(BOUNDS_S, tuple(counts), self._sum_s, self._longest_s)
