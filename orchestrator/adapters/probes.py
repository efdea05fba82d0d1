"""Performs probes in one event loop, without threads, at most so many at a time.

`Prober` does what `HealthMonitor` asks for; `CheckRunner` joins the two to one thing that a role
can run: give it the checks, and it calls back when a health changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from orchestrator.adapters.probe_command import probe_command
from orchestrator.adapters.probe_sockets import probe_http, probe_tcp
from orchestrator.health.actions import (
    Action,
    CancelProbe,
    HealthChanged,
    LookForDisableFile,
    Probe,
    StartProbe,
)
from orchestrator.health.monitor import HealthMonitor
from orchestrator.model.virtual_ip import Check, ExecProbe, Health, HttpProbe

CONNECTIONS_AT_ONCE = 200
COMMANDS_AT_ONCE = 16

Report: TypeAlias = Callable[[str, int, bool, str], None]
"""Called with name, probe id, whether it was good, and what was seen."""


async def perform(probe: Probe) -> tuple[bool, str]:
    """Perform one probe; a failure to connect or to start is a bad result, not an exception."""
    try:
        if isinstance(probe, ExecProbe):
            return await probe_command(probe)
        if isinstance(probe, HttpProbe):
            return await probe_http(probe)
        return await probe_tcp(probe)
    except OSError as error:
        # The event loop puts its own text into strerror, with the address as a Python tuple.
        words = os.strerror(error.errno) if error.errno else str(error)
        return False, words.lower()
    except ValueError as error:
        return False, str(error)


class Prober:
    """Performs probes and reports each once, except those that were cancelled.

    A probe that has to wait for others to end has its whole timeout from when it starts.
    """

    def __init__(
        self,
        report: Report,
        *,
        connections_at_once: int = CONNECTIONS_AT_ONCE,
        commands_at_once: int = COMMANDS_AT_ONCE,
    ) -> None:
        self._report = report
        self._connections = asyncio.Semaphore(connections_at_once)
        self._commands = asyncio.Semaphore(commands_at_once)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Perform probes until cancelled; then nothing that was started is left running."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def start(self, action: StartProbe) -> None:
        """Begin a probe; `run` must be under way."""
        assert self._group is not None
        task = self._group.create_task(self._probe(action))
        self._tasks[action.probe_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(action.probe_id, None))

    def cancel(self, probe_id: int) -> None:
        """Give up a probe; nothing is reported of it."""
        task = self._tasks.get(probe_id)
        if task is not None:
            task.cancel()

    async def _probe(self, action: StartProbe) -> None:
        turn = self._commands if isinstance(action.probe, ExecProbe) else self._connections
        async with turn:
            try:
                async with asyncio.timeout(action.timeout_s):
                    ok, detail = await perform(action.probe)
            except TimeoutError:
                ok, detail = False, f"no answer within {action.timeout_s:g} s"
        self._report(action.name, action.probe_id, ok, detail)


class CheckRunner:
    """The health checks of a role.

    `known` is the health a predecessor left. `on_change` is called in the loop for every change.
    """

    def __init__(
        self,
        on_change: Callable[[HealthChanged], None],
        known: Mapping[str, Health] | None = None,
    ) -> None:
        self._on_change = on_change
        self._known = dict(known or {})
        self._monitor = HealthMonitor(known)
        self._prober = Prober(self._result)
        self._wanted: Mapping[str, Check] = {}
        self._running = False
        self._details: dict[str, str] = {}
        self._wake = asyncio.Event()

    def want(self, checks: Mapping[str, Check]) -> None:
        """Watch exactly these checks; may be called before `run`."""
        self._wanted = dict(checks)
        if self._running:
            self._perform(self._monitor.want(self._wanted, _now()))

    def health(self) -> Mapping[str, Health]:
        """Return the health of every VIP of which it is known."""
        if self._running:
            return self._monitor.health()
        return {name: health for name, health in self._known.items() if name in self._wanted}

    def details(self) -> Mapping[str, str]:
        """Return what was seen when the health of each VIP last changed, such as `HTTP 503`."""
        return {name: text for name, text in self._details.items() if name in self._wanted}

    async def run(self) -> None:
        """Check until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prober.run())
            # One turn of the loop, in which the prober gets ready.
            await asyncio.sleep(0)
            self._running = True
            self._perform(self._monitor.want(self._wanted, _now()))
            while True:
                await self._until_timer()
                self._perform(self._monitor.handle_timer(_now()))

    async def _until_timer(self) -> None:
        """Wait for the next timer, or until there may be an earlier one."""
        self._wake.clear()
        due = self._monitor.next_timer()
        limit = None if due is None else max(due - _now(), 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._wake.wait()

    def _result(self, name: str, probe_id: int, ok: bool, detail: str) -> None:
        self._perform(self._monitor.result(name, probe_id, ok, detail, _now()))

    def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case StartProbe():
                    self._prober.start(action)
                case CancelProbe():
                    self._prober.cancel(action.probe_id)
                case LookForDisableFile():
                    found = os.path.lexists(action.path)
                    self._perform(self._monitor.disabled(action.name, found, _now()))
                case HealthChanged():
                    self._details[action.name] = action.detail
                    self._on_change(action)
        self._wake.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
