"""Command probes: a process group of its own, ended as a whole, with bounded output.

No threads: the end of the process is awaited through its pidfd.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import IO

from orchestrator.model.virtual_ip import ExecProbe

_MAX_OUTPUT = 4096
_MAX_DETAIL = 200
_CHUNK = 65536
_MOST_READS = 16
_LONGEST_END_S = 0.5
"""A killed process in a hung disk access may end much later; then nobody waits for it."""
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}

Outcome = tuple[bool, str]


async def probe_command(probe: ExecProbe) -> Outcome:
    """Run the command; good when it ends with status 0. Raises OSError when it cannot be started.

    Whatever the end is, success, timeout (cancellation) or failure, nothing of its process group
    is left running.
    """
    refusal = why_refused(probe.command[0])
    if refusal is not None:
        return False, refusal
    run = _Run(probe)
    try:
        status = await run.ended()
    finally:
        await run.stop()
    return status == 0, _detail(status, run.output)


def why_refused(program: str) -> str | None:
    """Say why a program may not be run: others than root and this user could change it (DESIGN 13).

    Raises OSError when it is not there.
    """
    status = Path(program).stat()
    if status.st_uid not in (0, os.geteuid()):
        return f"{program} is refused: it belongs to neither root nor this user"
    if status.st_mode & stat.S_IWOTH:
        return f"{program} is refused: everybody may write it"
    return None


def _detail(status: int, output: bytes) -> str:
    how = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
    line = output.decode("utf-8", "replace").strip().split("\n", 1)[0][:_MAX_DETAIL]
    words = "".join(character for character in line if character.isprintable())
    return f"{how}: {words}" if words else how


class _Run:
    """One run of a command."""

    def __init__(self, probe: ExecProbe) -> None:
        self.output = b""
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            probe.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        pipe = self._process.stdout
        assert pipe is not None
        self._pipe: IO[bytes] = pipe
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._read)
        self._pidfd = os.pidfd_open(self._process.pid)

    async def ended(self) -> int:
        """Wait for the process; return its status, negative for a signal.

        Processes that it left behind do not hold this up: their output is not waited for.
        """
        await self._end()
        self._read()
        # Before the process is reaped its number cannot belong to another group.
        self._kill_group()
        return self._process.wait()

    async def _end(self) -> None:
        end = asyncio.Event()
        self._loop.add_reader(self._pidfd, end.set)
        try:
            await end.wait()
        finally:
            self._loop.remove_reader(self._pidfd)

    def _read(self) -> None:
        for _ in range(_MOST_READS):
            try:
                data = os.read(self._pipe.fileno(), _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._loop.remove_reader(self._pipe.fileno())
                return
            self.output += data[: _MAX_OUTPUT - len(self.output)]

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End what still runs and give everything back."""
        self._loop.remove_reader(self._pipe.fileno())
        self._pipe.close()
        if self._process.returncode is None:
            self._kill_group()
            await self._end_of_killed()
        else:
            self._reap()

    async def _end_of_killed(self) -> None:
        """Reap what was killed; whoever cancels a second time waits for that too."""
        cancelled = None
        end = asyncio.Event()
        limit = self._loop.call_later(_LONGEST_END_S, end.set)
        self._loop.add_reader(self._pidfd, end.set)
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError as again:
                cancelled = again
        limit.cancel()
        if self._process.poll() is None:
            self._loop.add_reader(self._pidfd, self._reap)
        else:
            self._reap()
        if cancelled is not None:
            raise cancelled

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._process.wait()
