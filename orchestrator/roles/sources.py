"""The files given with -f: read, watched, and what was last good in them remembered."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import Any

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.file_watch import FileWatch
from orchestrator.adapters.files import Loaded, load
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.problem import Problem, Severity
from orchestrator.settings import Settings

BEFORE_WRITING_S = 0.05
"""Pause before a change is written down: what it means for the network comes first."""


class Sources:
    """Reads the configured files into a `Reading`, again whenever they change.

    The last good text of every file is kept in the state directory: a speaker that starts while a
    file is half written goes on with what the file said before (DESIGN 12, P7).
    """

    allocates = True
    fresh = True
    """Files are what they are."""

    def __init__(self, settings: Settings, on_change: Callable[[], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._watch = FileWatch(settings.filenames)
        self._loaded: Loaded | None = None
        self._memory = settings.state_dir / "last-good.json"
        self._reload = asyncio.Event()
        self._unwritten = asyncio.Event()
        self.reading: Reading | None = None
        self.problems: tuple[Problem, ...] = ()

    def reload(self) -> None:
        """Read everything again soon, as after HUP."""
        self._reload.set()

    async def start(self) -> None:
        """Read for the first time."""
        self.read_now()

    def read_now(self) -> None:
        """Read all files once; what cannot be read keeps its last good version."""
        if self._loaded is None:
            self._start_from_memory()
        loaded = load(self._settings.filenames, self._loaded)
        if loaded.unread and self.reading is None:
            # Nothing is known of what is missing, so nothing may be decided yet.
            self.problems = loaded.problems
            return
        reading = read(
            loaded.sources,
            namespace=self._settings.namespace,
            previous=self.reading,
            unread=loaded.unread,
        )
        problems = (*loaded.problems, *reading.problems)
        if self._unwritten.is_set() and any(p.severity is Severity.ERROR for p in problems):
            self._remember()  # while what was good before is still at hand
        self._loaded = loaded
        if self.reading is None or (reading, problems) != (self.reading, self.problems):
            self.reading, self.problems = reading, problems
            self._unwritten.set()
            self._on_change()

    async def run(self) -> None:
        """Read again after each change of a file and each `reload`, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._write_down())

    async def _follow(self) -> None:
        while True:
            changed = asyncio.ensure_future(self._watch.changed())
            reloaded = asyncio.ensure_future(self._reload.wait())
            try:
                await asyncio.wait((changed, reloaded), return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
                reloaded.cancel()
            self._reload.clear()
            self.read_now()

    async def _write_down(self) -> None:
        """Remember what was read once it was acted on, many changes together."""
        try:
            while True:
                await self._unwritten.wait()
                await asyncio.sleep(BEFORE_WRITING_S)
                self._remember()
        finally:
            if self._unwritten.is_set():
                self._remember()

    def _start_from_memory(self) -> None:
        sources = _decode(read_json(self._memory))
        if sources:
            self._loaded = Loaded(tuple(sources))
            self.reading = read(sources, namespace=self._settings.namespace)

    def _remember(self) -> None:
        """Keep the text of files without errors, and the older text of those that have one."""
        self._unwritten.clear()
        sources = self._loaded.sources if self._loaded else ()
        faulty = {_file_of(p) for p in self.problems if p.severity is Severity.ERROR}
        former = _decode(read_json(self._memory)) if faulty else []
        kept = {source.name: source for source in former}
        good = [
            source if source.name not in faulty else kept.get(source.name, source)
            for source in sources
        ]
        with contextlib.suppress(AdapterError):
            write_json(self._memory, [_encode(source) for source in good])


def _file_of(problem: Problem) -> str:
    return problem.place.rsplit(":", 2)[0] if problem.place else problem.object


def _encode(source: Source) -> dict[str, Any]:
    return {"name": source.name, "text": source.text, "trusted": source.trusted}


def _decode(document: Any) -> list[Source]:
    if not isinstance(document, list):
        return []
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return [
            Source(item["name"], base64.b64decode(item["text"]), bool(item["trusted"]))
            for item in document
        ]
    return []
