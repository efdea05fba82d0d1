"""What the supervisor does for roles that hold capabilities: run commands, read files (DESIGN 8.2)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from orchestrator.adapters.probe_command import probe_command
from orchestrator.adapters.probes import CheckRunner
from orchestrator.adapters.supervisor_link import Found, Notification, Request, Watch
from orchestrator.model.virtual_ip import Check, ExecProbe, Health
from orchestrator.model.virtual_router import CommandTrack

LOG = logging.getLogger(__name__)
LOOK_S = 0.5
"""How often tracked files are read."""
NOTIFY_LIMIT_S = 60.0
"""A notify command that runs longer is killed."""
WAITING = 100
"""Most notifications of one subject that wait; the oldest is dropped first."""
LONGEST_NUMBER = 32


class Outside:
    """Serves `SupervisorLink`s; `on_roles` is told which roles are needed."""

    def __init__(self, on_roles: Callable[[Iterable[str]], None]) -> None:
        self._on_roles = on_roles

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one role until it goes away; what it had followed is followed no longer."""
        following = _Following(writer)
        with (
            contextlib.suppress(OSError, ValueError, msgspec.MsgspecError),
            contextlib.closing(writer),
        ):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(following.run())]
                notifier = _Notifier(group)
                while text := await reader.readline():
                    request = msgspec.json.decode(text, type=Request)
                    if request.roles is not None:
                        self._on_roles(request.roles)
                    if request.watch is not None:
                        following.watch(request.watch)
                    for notification in request.notify:
                        notifier.take(notification)
                for task in tasks:
                    task.cancel()


class _Following:
    """Files and commands that one role has followed."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._runner = CheckRunner(lambda _: self._changed.set())
        self._changed = asyncio.Event()
        self._watch = Watch([], [])
        self._told: Found | None = None

    def watch(self, watch: Watch) -> None:
        self._watch = watch
        self._runner.want({_name(track): _check(track) for track in watch.commands})
        self._told = None
        self._changed.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run())
            group.create_task(self._tell())

    async def _tell(self) -> None:
        while True:
            limit_s = LOOK_S if self._watch.files else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._changed.wait()
            self._changed.clear()
            found = self._look()
            if found != self._told:
                self._told = found
                self._writer.write(msgspec.json.encode(found) + b"\n")
                await self._writer.drain()

    def _look(self) -> Found:
        health = self._runner.health()
        return Found(
            {path: number_in(Path(path)) for path in self._watch.files},
            [
                (track.command, health[_name(track)] is Health.UP)
                for track in self._watch.commands
                if _name(track) in health
            ],
        )


def number_in(path: Path) -> int | None:
    """Return the number that a file begins with; None where there is none, or no such file."""
    with contextlib.suppress(OSError, ValueError, IndexError), path.open("rb") as file:
        return int(file.read(LONGEST_NUMBER).split()[0])
    return None


def _name(track: CommandTrack) -> str:
    """Tell tracks apart: two routers may follow one command at different times."""
    return repr((track.command, track.interval_ms, track.timeout_ms, track.rise, track.fall))


def _check(track: CommandTrack) -> Check:
    return Check(
        probe=ExecProbe(track.command),
        interval_ms=track.interval_ms,
        fast_interval_ms=track.interval_ms,
        timeout_ms=track.timeout_ms,
        rise=track.rise,
        fall=track.fall,
    )


class _Notifier:
    """Runs notify commands: those of one subject one after the other, in the order they came."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._waiting: dict[str, deque[tuple[str, ...]]] = {}

    def take(self, notification: Notification) -> None:
        waiting = self._waiting.get(notification.subject)
        if waiting is not None:
            waiting.append(tuple(notification.command))
            return
        waiting = deque((tuple(notification.command),), maxlen=WAITING)
        self._waiting[notification.subject] = waiting
        self._group.create_task(self._work_off(notification.subject))

    async def _work_off(self, subject: str) -> None:
        waiting = self._waiting[subject]
        while waiting:
            command = waiting.popleft()
            good, words = await _notified(command)
            fields = {"subject": subject, "command": command[0]}
            if good:
                LOG.info("notified", extra=fields)
            else:
                LOG.error("notify command: %s", words, extra=fields)
        del self._waiting[subject]


async def _notified(command: tuple[str, ...]) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(NOTIFY_LIMIT_S):
            return await probe_command(ExecProbe(command))
    except TimeoutError:
        return False, f"it ran for more than {NOTIFY_LIMIT_S:.0f} s and was killed"
    except OSError as error:
        return False, error.strerror or str(error)
