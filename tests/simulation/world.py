"""A speaker, a relay, ExaBGP and its routers on one clock that moves only here."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from functools import partial

from orchestrator.bgp.actions import Action, Reconnect, SendLine, WriteConfiguration
from orchestrator.bgp.exabgp import Conversation
from orchestrator.bgp.render import Surroundings
from tests.fakes.exabgp import FakeExaBGP
from tests.fakes.exabgp_pair import OWN
from tests.simulation.chances import Chances
from tests.simulation.intent import NODE, Intent, table_of
from tests.simulation.referee import Referee, RestlessError
from tests.simulation.relay import RelayModel

TICK_S = 0.001
SETTLE_LIMIT_S = 400.0
TURNS_LIMIT = 200_000


class WatchedExaBGP(FakeExaBGP):
    """Shows each command to the referee in the moment it is taken."""

    watch: Callable[[str], None]

    def _command(self, line: str) -> None:
        self.watch(line)
        super()._command(line)


class World:
    """Lets time pass; everything that may go either way is drawn from `chances`."""

    def __init__(self, chances: Chances) -> None:
        self.chances = chances
        self.now = 1000.0
        self.exabgp = WatchedExaBGP(chances.between)
        self.relay = RelayModel()
        self.referee = Referee(self.exabgp)
        self.exabgp.watch = self.referee.reached
        self.intent = Intent()
        self.talk: Conversation | None = None
        self.connected = False
        self.exabgp_runs = True
        self.exabgp_dead = False
        self.refusing: set[str] = set()
        self._upstream = bytearray()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._coming_up: set[str] = set()

    # Time

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._later, (self.now + delay_s, next(self._order), what))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self._turn(end)

    def settle(self) -> None:
        """Let time pass until nothing is under way and no timer waits, then let the referee judge."""
        end = self.now + SETTLE_LIMIT_S
        for _ in range(TURNS_LIMIT):
            if not self._turn(end):
                break
            if self.now >= end:
                raise RestlessError(f"still busy after {SETTLE_LIMIT_S:g} s")
        self.referee.settled()

    def _turn(self, end: float) -> bool:
        """Let one thing after another happen; False when nothing is left to happen before `end`."""
        busy = self._do_due()
        busy |= self._exabgp_turn()
        busy |= self._deliver()
        busy |= self._do_timer()
        self._bring_up()
        self.referee.at(self.now, disturbed=self._disturbed)
        if busy:
            self.now += TICK_S
            return True
        following = self._next()
        if following is None:
            self.now = end
            return False
        self.now = min(end, max(self.now + TICK_S, following))
        return True

    @property
    def _disturbed(self) -> bool:
        peers = self.exabgp.peers.values()
        peace = self.talk is not None and self.talk.reachable and self.exabgp_runs
        odd = self.exabgp.refuses or self.referee.lossy
        return not peace or odd or any(peer.stalled or not peer.up for peer in peers)

    def _next(self) -> float | None:
        timer = self.talk.next_timer() if self.talk else None
        times = [timer] if timer is not None else []
        times += [self._later[0][0]] if self._later else []
        return min(times, default=None)

    def _do_due(self) -> bool:
        busy = False
        while self._later and self._later[0][0] <= self.now:
            heapq.heappop(self._later)[2]()
            busy = True
        return busy

    def _do_timer(self) -> bool:
        timer = self.talk.next_timer() if self.talk else None
        if self.talk is None or timer is None or timer > self.now:
            return False
        self._perform(self.talk.handle_timer(self.now))
        return True

    # Bytes on their way

    def _exabgp_turn(self) -> bool:
        if self._upstream and self.chances.below(3):
            some = self.chances.between(1, len(self._upstream))
            self.relay.from_client(bytes(self._upstream[:some]))
            del self._upstream[:some]
        if not self.exabgp_runs:
            return False
        for _ in range(min(len(self.relay.to_exabgp), self.chances.between(1, 20))):
            self.exabgp.write(self.relay.to_exabgp.popleft())
        before = len(self.exabgp.commands)
        busy = self.exabgp.turn()
        self.relay.from_exabgp(self.exabgp.read())
        return bool(busy or before or self._upstream or self.relay.to_exabgp)

    def _deliver(self) -> bool:
        if not self.relay.to_client or self.talk is None or not self.connected:
            return False
        if self.chances.below(3):
            some = self.chances.between(1, len(self.relay.to_client))
            data = bytes(self.relay.to_client[:some])
            del self.relay.to_client[:some]
            self._perform(self.talk.receive(data, self.now))
        return True

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case SendLine(text):
                    self._upstream += f"{text}\n".encode("ascii")
                    waiting = self._upstream.count(b"\n") + self.relay.owed
                    self.referee.saw(text, waiting)
                case WriteConfiguration(text):
                    self.exabgp.file = text
                case Reconnect():
                    self.hang_up()
                    self.after(0.02, self.connect)
                case _:
                    pass

    # The speaker

    def connect(self) -> None:
        """The speaker, if it lives, reaches the relay, or tries again."""
        if self.exabgp_dead:
            self.after(0.02, self.connect)
        elif self.talk is not None and not self.connected:
            self.connected = True
            self.relay.accept()
            self.referee.took_over()
            self._perform(self.talk.connected(self.now))

    def hang_up(self) -> None:
        """The connection ends; what the speaker wrote last may be cut in the middle."""
        if self.talk is not None and self.connected:
            self._cut()
            self._perform(self.talk.disconnected(self.now))

    def kill_speaker(self) -> None:
        """The speaker is gone, with all it knew."""
        if self.connected:
            self._cut()
        self.talk = None

    def _cut(self) -> None:
        self.connected = False
        self.relay.from_client(bytes(self._upstream[: self.chances.below(len(self._upstream) + 1)]))
        self._upstream.clear()
        self.relay.hang_up()

    def start_speaker(self) -> None:
        """A new speaker: it may connect before it has read what is wanted, or after."""
        if self.talk is None:
            self.talk = Conversation()
            first, second = (self.connect, self.want)[:: self.chances.one_of((1, -1))]
            first()
            self.after(self.chances.below(20) / 1000, second)

    def want(self) -> None:
        """The speaker plans and tells what is wanted."""
        if self.talk is not None:
            decided = self.intent.plan()
            self.referee.decided(table_of(decided), self.now)
            around = Surroundings(OWN)
            actions = self.talk.want(decided.sessions, decided.ribs[NODE], around, self.now)
            self._perform(actions)

    # ExaBGP and routers

    def kill_exabgp(self) -> None:
        """ExaBGP dies with its relay, and both start again soon."""
        self.exabgp_runs, self.exabgp_dead = False, True
        self.hang_up()
        self.relay = RelayModel()

        def again() -> None:
            self.exabgp.restart()
            self.exabgp_runs, self.exabgp_dead = True, False
            self.after(0.05, self.connect)

        self.after(self.chances.between(20, 600) / 1000, again)

    def kill_relay(self) -> None:
        """The relay dies alone: commands that it, or the pipe, still had are gone."""
        if self.exabgp_runs:
            self.hang_up()
            self.relay = RelayModel()
            self.exabgp.commands.clear()
            self.after(0.05, self.connect)

    def _bring_up(self) -> None:
        """Routers agree to a session some time after it was lost."""
        for address, peer in self.exabgp.peers.items():
            ready = not peer.up and address not in self._coming_up | self.refusing
            if self.exabgp_runs and ready:
                self._coming_up.add(address)
                self.after(self.chances.between(5, 300) / 1000, partial(self._up, address))

    def _up(self, address: str) -> None:
        self._coming_up.discard(address)
        if self.exabgp_runs and address in self.exabgp.peers and address not in self.refusing:
            self.exabgp.session_up(address)
