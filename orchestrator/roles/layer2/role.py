"""The layer2 process: owns and answers for addresses as its speaker allows, whoever else is away."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Coroutine

from orchestrator.adapters import clock
from orchestrator.adapters.kernel.interface_watch import InterfaceWatch
from orchestrator.adapters.kernel.realtime import become_realtime
from orchestrator.adapters.layer2_wire import Overview, line
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop, on_signal
from orchestrator.adapters.state_files import make_directory
from orchestrator.adapters.unix_server import serve_unix
from orchestrator.layer2.actions import Became, Event
from orchestrator.layer2.engine import Engine
from orchestrator.model.layer2_report import OwnerReport
from orchestrator.roles.layer2.masters import Masters
from orchestrator.roles.layer2.news import Newspaper, Place
from orchestrator.roles.layer2.report import happened, overview, owner
from orchestrator.roles.layer2.told import Told
from orchestrator.roles.layer2.turn import Turns
from orchestrator.settings import Settings

LOG = logging.getLogger(__name__)
BOOT_ID_BYTES = 8
NEWS_S = 1.0
"""How often the speaker is told how things are when nothing happens."""
SOONEST_NEWS_S = 0.1
"""What happens closer together is told at once, and not while a takeover is announced."""
LEAVE_LIMIT_S = 1.5
"""Longest time that handing over may take, a little more than the cores allow themselves."""
PART_LIMIT_S = 0.5
MOST_UNREAD = 4 * 1024 * 1024
"""Bytes that a speaker may leave unread before it is taken for hung and let go."""


class Layer2:
    """One process of layer 2; `run` ends after TERM, when everything was handed over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine = Engine(os.urandom(BOOT_ID_BYTES))
        self._turns = Turns(self._engine, self._tell, self._after_turn)
        self._told = Told()
        self._news = Newspaper()
        self._hurry = asyncio.Event()
        self._finished = asyncio.Event()
        self._leaving = False
        self._speaker: asyncio.StreamWriter | None = None
        self._watch = InterfaceWatch(self._look)
        self._masters = Masters(settings, self._track, self._engine.holds)
        self._handovers = -1
        self._conversations: set[asyncio.Task[None]] = set()
        self._touched: set[Place] = set()
        self._limits: tuple[str, ...] = ()
        self._stale: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Take the lock, work until TERM, hand over, leave."""
        make_directory(self._settings.runtime_dir)
        lock = RoleLock(self._settings.runtime_dir, "layer2")
        lock.acquire()
        stop = Stop.on_signals()
        on_signal(signal.SIGUSR1, self._dump)
        gc.freeze()
        self._limits = tuple(become_realtime())
        for words in self._limits:
            LOG.info("not allowed here: %s", words)
        async with (
            serve_unix(self._settings.layer2_socket, self._converse),
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(work) for work in self._works()]
            await stop.requested()
            await self._leave()
            for task in tasks:
                task.cancel()
        self._turns.close()
        lock.release()

    def _works(self) -> list[Coroutine[None, None, None]]:
        return [self._watch.run(), *self._masters.works(), self._tell_speaker()]

    async def _leave(self) -> None:
        """Hand over; go on answering until others took over or the limit is reached."""
        LOG.info("handing over")
        self._leaving = True
        self._turns.ask(self._engine.leave)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_LIMIT_S):
                await self._finished.wait()
        await self._masters.settle()
        await self._part()

    async def _part(self) -> None:
        """End the conversation with the speaker, after the last news."""
        if self._speaker is not None:
            await self._write_news(self._speaker)
            self._speaker.close()
        if self._conversations:
            await asyncio.wait(self._conversations, timeout=PART_LIMIT_S)

    # What comes in

    def _look(self) -> None:
        """Take interfaces, and the gateways behind them, as they are now."""
        self._turns.ports(self._watch.ports)
        self._want()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a speaker; a new one takes the place of an older one."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        if self._speaker is not None:
            self._speaker.close()
        self._speaker = writer
        self._news.new_reader()
        self._hurry.set()
        try:
            await self._listen(reader)
        except (OSError, ValueError, TypeError, LookupError) as error:
            LOG.warning("the speaker is let go: %s", error)
        finally:
            writer.close()
            if self._speaker is writer:
                self._speaker = None
                self._told.left(clock.monotonic())
                self._want()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while text := await reader.readline():
            if self._told.take(text, clock.monotonic()):
                self._want()
            await asyncio.sleep(0)  # between the lines of a long word timers are looked at

    def _want(self) -> None:
        desired = self._told.desired(self._watch.gateways, clock.monotonic())
        if desired is None or self._leaving:
            return
        self._masters.want(self._told.routers, self._told.health)
        excluded = self._told.excluded_interfaces
        routers = self._told.routers
        self._turns.ask(lambda now: self._engine.want(desired, routers, excluded, now))
        self._masters.bind()
        self._track()
        self._turns.about(self._engine.about())
        self._look_when_stale()

    def _look_when_stale(self) -> None:
        """Look again when what the speaker said has become stale."""
        if self._stale is not None:
            self._stale.cancel()
            self._stale = None
        at = self._told.stale_at()
        if self._speaker is None and at is not None and at > clock.monotonic():
            self._stale = asyncio.get_running_loop().call_at(at + SOONEST_NEWS_S, self._want)

    def _track(self) -> None:
        """Take results of what virtual routers track."""
        facts = self._masters.facts
        self._turns.ask(lambda now: self._engine.track(facts, now))

    # What goes out

    def _tell(self, output: Became | Event) -> None:
        """Note what happened: for the speaker, and for notify commands."""
        if isinstance(output, Became):
            self._masters.became(output)
            fields = {"router": output.router, "state": output.new.value}
            LOG.info("virtual router: %s", output.reason, extra=fields)
        elif output.address is not None:
            self._touched.add((output.port, output.address))
        self._news.happened(happened(output))
        self._hurry.set()

    def _after_turn(self) -> None:
        if self._handovers != self._engine.handovers:
            self._handovers = self._engine.handovers
            self._masters.bind()
        if self._engine.finished:
            self._finished.set()

    async def _tell_speaker(self) -> None:
        """Tell the speaker how things are: when something happened, and every second."""
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: when both happen at once, it forgets that it was cancelled.
                async with asyncio.timeout(NEWS_S):
                    await self._hurry.wait()
            await asyncio.sleep(SOONEST_NEWS_S)
            self._hurry.clear()
            if self._speaker is not None:
                await self._write_news(self._speaker)

    async def _write_news(self, writer: asyncio.StreamWriter) -> None:
        if writer.transport.get_write_buffer_size() > MOST_UNREAD:
            writer.transport.abort()
            return
        shared = self._engine.shared
        places = dict.fromkeys(shared.places())
        moved = (*shared.moved(), *self._touched)
        self._touched.clear()
        for news in self._news.edition(places, moved, self._owner, self._overview):
            writer.write(line(news))
            await asyncio.sleep(0)

    def _owner(self, place: Place) -> OwnerReport | None:
        return owner(self._engine, place, clock.monotonic())

    def _overview(self) -> Overview:
        turns, shared = self._turns, self._engine.shared.snapshot(clock.monotonic(), owners=False)
        return overview(self._engine, shared, turns.lateness(), turns.step_backs, self._limits)

    def _dump(self) -> None:
        shared = self._engine.shared.snapshot(clock.monotonic())
        LOG.info(
            "state dump",
            extra={"dump": {"shared": shared, "routers": self._engine.routers.report()}},
        )
