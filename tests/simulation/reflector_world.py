"""A reflector, a server and a bad network between them, by one clock that moves only here."""

from __future__ import annotations

import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.kube.actions import Action, Changed, Close, Open, RenewCredentials, Troubled
from orchestrator.kube.reflector import Reflector
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Key
from tests.fakes.apiserver import Answer, Collection, FakeApiServer, FakeWatch, refusal
from tests.simulation.chances import Chances
from tests.simulation.story import FoulError

SERVICES = Collection("", "v1", "services", "Service")
MOST_IN_A_MINUTE = 60
"""Requests of one reflector: less than one a second (DESIGN 9)."""


class LostError(FoulError):
    """An object vanished that nobody deleted."""


class EchoError(FoulError):
    """What did not change was told as a change."""


class StormError(FoulError):
    """The server was asked too often."""


class StaleError(FoulError):
    """Long after all was well, something else is known than what there is."""


@dataclass
class Line:
    """A request on its way: nothing comes of it any more when it is `dead`."""

    number: int
    watch: FakeWatch | None = None
    dead: bool = False
    silent: bool = False


class World:
    """Everything that one play is about."""

    def __init__(self, chances: Chances) -> None:
        self.chances = chances
        self.now = 1000.0
        self.server = FakeApiServer(SERVICES, knows_service_fields=chances.below(4) > 0)
        selector = chances.one_of(("", "spec.type=LoadBalancer"))
        resource = Resource("", "v1", "services", "Service", field_selector=selector)
        numbers = itertools.count(1)
        self.reflector = Reflector(resource, self._spread, lambda: next(numbers))
        self.view: dict[Key, bytes] = {}
        self.absent: set[Key] = set()
        """Names that the server once did not have, so that they may vanish."""
        self.trace: list[str] = []
        self.down = self.silent = self.slow = False
        self.refusing = 0
        self.garbling = 0
        self.backup = self.server.snapshot()
        self._lists_at_restore: int | None = None
        self._line: Line | None = None
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._asked: deque[float] = deque()

    def _spread(self, low: float, high: float) -> float:
        return low + (high - low) * self.chances.below(1000) / 999

    # Time

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._later, (self.now + delay_s, next(self._order), what))

    def start(self) -> None:
        """Let the reflector begin."""
        self._do(self.reflector.start(self.now))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            timer = self.reflector.next_timer()
            first = self._later[0][0] if self._later else end
            self.now = max(self.now, min(end, first, end if timer is None else timer))
            if self._later and self._later[0][0] <= self.now:
                heapq.heappop(self._later)[2]()
            elif timer is not None and timer <= self.now:
                self._do(self.reflector.handle_timer(self.now))
            elif self.now >= end:
                return

    # What the reflector wants

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Open():
                    self._open(action)
                case Close(number):
                    if self._line is not None and self._line.number == number:
                        self._hang_up(self._line)
                case Changed():
                    self._take(action)
                case Troubled(trouble, message):
                    self.trace.append(f"{self.now:9.3f} {trouble} {message}")
                case RenewCredentials():
                    self.refusing = 0 if self.refusing == 401 else self.refusing

    def _take(self, changed: Changed) -> None:
        for one in changed.objects:
            if self.view.get(one.key) == one.text:
                raise EchoError(f"{self.now:.3f} {one.key} again")
            self.view[one.key] = one.text
        for key in changed.gone:
            if key not in self.absent:
                raise LostError(f"{self.now:.3f} {key} vanished")
            self.view.pop(key, None)

    def _hang_up(self, line: Line) -> None:
        line.dead = True
        if line.watch is not None:
            line.watch.over = True
            self.server.watches[:] = [w for w in self.server.watches if w is not line.watch]

    # The network

    def _open(self, wanted: Open) -> None:
        self._count()
        line = self._line = Line(wanted.request)
        delay_s = self.chances.between(1, 3000 if self.slow else 30) / 1000
        self.after(delay_s, lambda: self._reach(line, wanted))

    def _count(self) -> None:
        self._asked.append(self.now)
        while self._asked[0] < self.now - 60:
            self._asked.popleft()
        if len(self._asked) > MOST_IN_A_MINUTE:
            raise StormError(f"{self.now:.3f} {len(self._asked)} requests in a minute")

    def _reach(self, line: Line, wanted: Open) -> None:
        if line.dead or self.silent:
            line.silent = True
        elif self.down:
            self._do(self.reflector.failed(line.number, "connection refused", self.now))
        elif self.refusing:
            self._answer(line, refusal(self.refusing, "Refused", "not now"))
        elif wanted.stream:
            found = self.server.open_watch(wanted.path, dict(wanted.query))
            if isinstance(found, Answer):
                self._answer(line, found)
            else:
                line.watch = found
                self._do(self.reflector.answered(line.number, 200, 0.0, self.now))
        else:
            self._answer(line, self.server.answer_list(wanted.path, dict(wanted.query)))

    def _answer(self, line: Line, answer: Answer) -> None:
        body = json.dumps(answer.document).encode()
        retry_after_s = 5.0 if answer.status == 429 else 0.0
        self._do(self.reflector.answered(line.number, answer.status, retry_after_s, self.now))
        if self.garbling:
            self.garbling -= 1
            body = body[: len(body) // 2]
        self._pieces(line, body)
        self.after(0.01, lambda: self._end(line))

    def _end(self, line: Line) -> None:
        if not line.dead:
            self._do(self.reflector.ended(line.number, self.now))

    def _pieces(self, line: Line, text: bytes) -> None:
        """Hand on bytes in pieces of any size."""
        while text and not line.dead:
            size = self.chances.between(1, max(1, len(text)))
            self._do(self.reflector.received(line.number, text[:size], self.now))
            text = text[size:]

    def flow(self) -> None:
        """Let what the watch has to say come through, as far as the network is well."""
        line = self._line
        if line is None or line.dead or line.watch is None or self.silent or line.silent:
            return
        text, line.watch.lines[:] = b"".join(line.watch.lines), []
        if self.garbling and text:
            self.garbling -= 1
            text = self.chances.one_of(
                (b'{"type":\n', b"\xff\xfe\n", text[: len(text) // 2] + b"\xff\n")
            )
        self._pieces(line, text)
        if line.watch.over and not line.dead:
            self._end(line)

    def forget_line(self) -> None:
        """Let the other end fall silent for good on what is open, as after a lost path."""
        if self._line is not None:
            self._line.silent = True

    def restore(self) -> None:
        """Let the server come back with an older store."""
        self.server.restore(self.backup)
        self._lists_at_restore = self.reflector.relists

    # Judgement

    @property
    def _is_fooled(self) -> bool:
        """Tell whether a restored store had reached our version before anybody compared them.

        What came between is then unknown, which DESIGN 12 does not promise.
        """
        unnoticed = self.reflector.relists == self._lists_at_restore
        return unnoticed and self.server.version >= int(self.reflector.version or 0)

    def judge(self) -> None:
        """Compare what is known with what there is."""
        if self._is_fooled:
            return
        selects = self.reflector.resource.field_selector and self.server.knows_service_fields
        rows = self.server.all(SERVICES).items()
        there = {
            Key(*name): one["metadata"]["resourceVersion"]
            for name, one in rows
            if not selects or one["spec"]["type"] == "LoadBalancer"
        }
        known = {
            key: json.loads(text)["metadata"]["resourceVersion"] for key, text in self.view.items()
        }
        if known != there:
            raise StaleError(f"{self.now:.3f} known {known}, there {there}")
