"""The backend on ExaBGP: carries the conversation of `bgp.exabgp` over the relay's socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.exabgp_places import Places
from orchestrator.adapters.exabgp_sources import Sources
from orchestrator.adapters.state_files import write_file
from orchestrator.bgp.actions import (
    Action,
    Changed,
    Note,
    Reconnect,
    SendLine,
    WriteConfiguration,
)
from orchestrator.bgp.exabgp import Conversation
from orchestrator.model.address import IPNetwork
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Problem, Severity
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus

FIRST_RETRY_S = 0.02
LAST_RETRY_S = 1.0
READ_SIZE = 1 << 18
UNSENT_LIMIT = 1 << 20
"""Bytes the relay has not taken yet, beyond which the connection is taken for hung."""
LOOK_AGAIN_S = 5.0
"""How often own addresses towards the peers are looked up."""

logger = logging.getLogger(__name__)


class ExaBGPLink:
    """A `Backend` that speaks to ExaBGP; see there for what the methods promise."""

    def __init__(self, settings: Places, on_change: Callable[[], None] = lambda: None) -> None:
        self.on_change: Callable[[], None] = on_change
        self._settings = settings
        self._talk = Conversation()
        self._write_problems: tuple[Problem, ...] = ()
        self._wanted: tuple[tuple[Session, ...], Mapping[str, Rib]] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sources = Sources(settings.exabgp_configuration, self._is_up)

    @property
    def reachable(self) -> bool:
        """Tell whether ExaBGP answered what it has."""
        return self._talk.reachable

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What cannot be done of what is wanted."""
        return (*self._write_problems, *self._talk.problems)

    def want(self, sessions: Sequence[Session], ribs: Mapping[str, Rib]) -> None:
        """Take the whole desired state of this node."""
        self._wanted = (tuple(sessions), ribs)
        around = self._sources.look(sessions)
        self._perform(self._talk.want(sessions, ribs, around, self._now()))

    def sessions(self) -> Mapping[str, SessionState]:
        """State of every wanted session by peer name."""
        return self._talk.sessions()

    def route_status(self, peer: str, prefix: IPNetwork) -> RouteStatus:
        """How far the desired route for `prefix` got towards `peer`."""
        return self._talk.route_status(peer, prefix)

    def extended_next_hops(self, peers: Iterable[Peer]) -> frozenset[str]:
        """Names of those that take IPv4 routes with an IPv6 next hop, or yet may."""
        return self._talk.extended_next_hops(peers)

    def holding(self) -> frozenset[IPNetwork]:
        """Prefixes that any peer may still have from us."""
        return self._talk.holding(self._now())

    async def run(self) -> None:
        """Connect, talk, and connect again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_up_sources())
            pause = FIRST_RETRY_S
            while True:
                talked = await self._converse()
                pause = FIRST_RETRY_S if talked else min(pause * 2, LAST_RETRY_S)
                await asyncio.sleep(pause)

    async def _converse(self) -> bool:
        """Hold one connection as long as it lasts; False when there was none."""
        path = str(self._settings.relay_socket)
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError:
            return False
        self._writer = writer
        try:
            self._perform(self._talk.connected(self._now()))
            await self._read(reader)
        finally:
            self._writer = None
            writer.transport.abort()
            self._perform(self._talk.disconnected(self._now()))
        return True

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_SIZE):
                self._perform(self._talk.receive(data, self._now()))

    async def _look_up_sources(self) -> None:
        """Take into account that own addresses come and go."""
        while True:
            if self._wanted is not None:
                self.want(*self._wanted)
            await asyncio.sleep(LOOK_AGAIN_S)

    def _is_up(self, peer: str) -> bool:
        state = self._talk.sessions().get(peer)
        return state is not None and state.status is SessionStatus.UP

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case SendLine(text):
                    self._send(text)
                case WriteConfiguration(text):
                    self._write(text)
                case Note(level, text, keys):
                    logger.log(logging.getLevelName(level.upper()), text, extra=dict(keys))
                case Reconnect(reason):
                    logger.warning("connecting to ExaBGP anew", extra={"reason": reason})
                    self._hang_up()
                case Changed():
                    self.on_change()
        self._arm()

    def _send(self, text: str) -> None:
        if self._writer is None:
            return
        self._writer.write(f"{text}\n".encode("ascii"))
        if self._writer.transport.get_write_buffer_size() > UNSENT_LIMIT:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def _write(self, text: str) -> None:
        path = self._settings.exabgp_configuration
        try:
            write_file(path, text.encode())
            self._write_problems = ()
        except AdapterError as error:
            hint = "see to the directory's permissions and free space"
            problem = Problem(
                Severity.ERROR, "cannotWrite", str(path), error.message, place=str(path), hint=hint
            )
            if self._write_problems != (problem,):
                logger.log(logging.ERROR, str(problem))
            self._write_problems = (problem,)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._talk.next_timer()
        if at is not None:
            self._timer = asyncio.get_running_loop().call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._perform(self._talk.handle_timer(self._now()))
