"""Processes of roles: started by a supervisor, or found running and adopted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Protocol

from orchestrator.adapters.parent import PARENT_VARIABLE


class RoleProcess(Protocol):
    """What a supervisor needs of a running role."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    def send_signal(self, number: int) -> None:
        """Send a signal; a process that is gone is no error."""
        ...

    async def wait(self) -> int | None:
        """Wait for the end and return the exit status, None when it cannot be known."""
        ...


class StartedProcess:
    """A role started by this process, in a session of its own: Ctrl-C reaches only us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send_signal(self, number: int) -> None:
        """Send a signal; KILL goes to everything the role started as well."""
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    async def wait(self) -> int | None:
        """Wait for the end and return the exit status."""
        return await self._process.wait()


class AdoptedProcess:
    """A role that an earlier supervisor started and left running."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._descriptor = os.pidfd_open(pid)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._pid

    def send_signal(self, number: int) -> None:
        """Send a signal through the pidfd, so that it never hits a reused process id."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    async def wait(self) -> int | None:
        """Wait for the end; another process's child tells us no status."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._descriptor)
        return None


async def start_role(role: str, flags: Sequence[str], *, dies_with_us: bool) -> StartedProcess:
    """Start `orchestrator ROLE FLAGS` with this interpreter."""
    environment = dict(os.environ)
    environment.pop(PARENT_VARIABLE, None)
    if dies_with_us:
        environment[PARENT_VARIABLE] = str(os.getpid())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "orchestrator",
        role,
        *flags,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    return StartedProcess(process)
