"""The supervisor of `orchestrator run`: starts the roles, restarts them, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from orchestrator.adapters import clock
from orchestrator.adapters.locks import RoleLock, lock_holder
from orchestrator.adapters.role_process import AdoptedProcess, RoleProcess, start_role
from orchestrator.adapters.signals import Stop, on_signal
from orchestrator.adapters.state_files import make_directory
from orchestrator.adapters.unix_server import serve_unix
from orchestrator.roles.outside import Outside
from orchestrator.settings import Settings

LOG = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
GOOD_RUN_S = 10.0
"""A role that ran this long starts with the first pause again."""
STOP_LIMIT_S = 8.0
"""A role that has not ended this long after TERM is killed."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role as the supervisor runs it.

    `outlives_us`: a new supervisor adopts it, so its sessions survive a killed one (DESIGN 2).
    `on_demand`: it is started when the speaker finds that the configuration needs it.
    """

    name: str
    flags: tuple[str, ...]
    outlives_us: bool = False
    on_demand: bool = False


class Keeper:
    """Keeps one role running until told to stop."""

    def __init__(self, role: Role, settings: Settings) -> None:
        self.role = role
        self._settings = settings
        self._stopping = False
        self._needed = asyncio.Event()
        if not role.on_demand or self._holder() is not None:
            self._needed.set()
        self._starting = asyncio.Lock()
        self._pause_s = FIRST_PAUSE_S
        self.process: RoleProcess | None = None

    async def keep(self) -> None:
        """Start the role once it is needed, or adopt it where it runs; again whenever it ends."""
        await self._needed.wait()
        while not self._is_stopping():
            started = clock.monotonic()
            async with self._starting:
                if self._is_stopping():
                    return
                self.process = await self._begin()
            status = await self.process.wait()
            self.process = None
            if self._is_stopping():
                return
            pause_s = self._next_pause(clock.monotonic() - started)
            fields = {"child": self.role.name, "status": status, "pause_s": pause_s}
            LOG.warning("%s ended; it is started again", self.role.name, extra=fields)
            await asyncio.sleep(pause_s)

    def need(self) -> None:
        """Let the role be started; from then on it runs until the stop."""
        self._needed.set()

    def _holder(self) -> int | None:
        """Return the process that a former supervisor left, if it is to be adopted."""
        if not self.role.outlives_us:
            return None
        return lock_holder(self._settings.runtime_dir, self.role.name)

    async def _begin(self) -> RoleProcess:
        holder = self._holder()
        with contextlib.suppress(ProcessLookupError):
            if holder is not None:
                process = AdoptedProcess(holder)
                LOG.info("adopted %s", self.role.name, extra={"pid": holder})
                return process
        flags = self.role.flags
        return await start_role(self.role.name, flags, dies_with_us=not self.role.outlives_us)

    def _is_stopping(self) -> bool:
        return self._stopping

    def _next_pause(self, ran_s: float) -> float:
        if ran_s > GOOD_RUN_S:
            self._pause_s = FIRST_PAUSE_S
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def signal(self, number: int) -> None:
        """Pass a signal on to the role if it runs."""
        if self.process is not None:
            self.process.send_signal(number)

    async def stop(self) -> None:
        """Ask the role to stop and wait for it; kill it when it takes too long."""
        self._stopping = True
        async with self._starting:  # a role that is just being started is stopped too
            process = self.process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        ending = asyncio.ensure_future(process.wait())
        ended, _ = await asyncio.wait((ending,), timeout=STOP_LIMIT_S)
        if not ended:
            LOG.error("%s did not stop in %.0f s; killed", self.role.name, STOP_LIMIT_S)
            process.send_signal(signal.SIGKILL)


class Supervisor:
    """Runs `roles`, and what they may not do themselves; `stop_order` is that of the ordered stop."""

    def __init__(
        self, settings: Settings, roles: Sequence[Role], stop_order: Sequence[str]
    ) -> None:
        self._settings = settings
        self._keepers = {role.name: Keeper(role, settings) for role in roles}
        self._stop_order = stop_order

    async def run(self) -> None:
        """Run until TERM, then stop role by role; a second TERM kills them and ends at once."""
        make_directory(self._settings.runtime_dir)
        lock = RoleLock(self._settings.runtime_dir, "run")
        lock.acquire()
        stop = Stop.on_signals(at_once=self._kill_all)
        for number in (signal.SIGHUP, signal.SIGUSR1):
            on_signal(number, partial(self._keepers["speaker"].signal, number))
        outside = Outside(self._need)
        async with (
            serve_unix(self._settings.supervisor_socket, outside.converse),
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(keeper.keep()) for keeper in self._keepers.values()]
            await stop.requested()
            LOG.info("stopping", extra={"on_stop": self._settings.on_stop})
            for name in self._stop_order:
                await self._keepers[name].stop()
            for task in tasks:
                task.cancel()
        lock.release()

    def _need(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._keepers:
                self._keepers[name].need()

    def _kill_all(self) -> None:
        for keeper in self._keepers.values():
            keeper.signal(signal.SIGKILL)
