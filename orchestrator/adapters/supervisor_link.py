"""A role's line to the supervisor of `run`: which roles are needed, what to run, what it found.

One JSON object a line. The supervisor runs commands and reads files in the place of the layer2
role, which holds capabilities (DESIGN 8.2). Without a supervisor, as in a cluster, nobody listens
and nothing is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from orchestrator.adapters.unix_server import MAX_LINE
from orchestrator.model.virtual_router import CommandTrack

RETRY_S = 0.5
KEPT = 1000
"""Notifications kept while the supervisor is away; the oldest are dropped first."""


class Notification(msgspec.Struct):
    """A command to be run once; those of one `subject` run one after the other."""

    subject: str
    command: list[str]


class Watch(msgspec.Struct):
    """All that is to be followed from now on."""

    files: list[str]
    commands: list[CommandTrack]


class Request(msgspec.Struct, omit_defaults=True):
    """What a role asks for: roles it needs, what to follow, commands to run."""

    roles: list[str] | None = None
    watch: Watch | None = None
    notify: list[Notification] = []


class Found(msgspec.Struct):
    """The number in each file (None: there is none), and whether each command is good."""

    files: dict[str, int | None]
    commands: list[tuple[tuple[str, ...], bool]]


class SupervisorLink:
    """Asks the supervisor, again after each connection. `on_found` takes each finding."""

    def __init__(self, socket: Path, on_found: Callable[[Found], None] | None = None) -> None:
        self._socket = socket
        self._on_found = on_found
        self._roles: list[str] | None = None
        self._watch: Watch | None = None
        self._notify: list[Notification] = []
        self._dirty = asyncio.Event()

    def need(self, roles: Sequence[str]) -> None:
        """Say which roles are needed."""
        if self._roles != sorted(roles):
            self._roles = sorted(roles)
            self._dirty.set()

    def watch(self, watch: Watch) -> None:
        """Say what is to be followed."""
        if self._watch != watch:
            self._watch = watch
            self._dirty.set()

    def notify(self, notification: Notification) -> None:
        """Have a command run."""
        self._notify = [*self._notify, notification][-KEPT:]
        self._dirty.set()

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
                await self._converse()
            await asyncio.sleep(RETRY_S)

    async def _converse(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=MAX_LINE)
        self._dirty.set()
        asking = asyncio.ensure_future(self._ask(writer))
        try:
            while text := await reader.readline():
                found = msgspec.json.decode(text, type=Found)
                if self._on_found is not None:
                    self._on_found(found)
        finally:
            asking.cancel()
            writer.close()

    async def _ask(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            notify, self._notify = self._notify, []
            request = Request(self._roles, self._watch, notify)
            writer.write(msgspec.json.encode(request) + b"\n")
            await writer.drain()
