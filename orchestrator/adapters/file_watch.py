"""Notices when configuration files change: inotify, with looking every few seconds besides.

Every kind of change counts: written in place, replaced by rename, a symbolic link switched (as
Kubernetes does with ConfigMaps), a file or directory that appears later.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from orchestrator.adapters.files import STANDARD_INPUT, SUFFIXES, members
from orchestrator.adapters.inotify import (
    CONTENT,
    GONE,
    MODIFY,
    OVERFLOW,
    Event,
    Inotify,
)

_LOOK_WITHOUT_INOTIFY_S: Final = 1.0
_LOOK_S: Final = 5.0
"""Network file systems and exotic mounts tell inotify nothing."""
_LONGEST_WRITE_S: Final = 5.0
"""A file that stays open for writing longer than this is read as it is."""
_MOST_LINKS = 20

_Print = tuple[tuple[str, int, int, int], ...]


class FileWatch:
    """Watches files and directories from its construction on.

    Make it before the first `load`: what changes between the two then ends the first `changed`.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path.absolute() for path in paths if path != STANDARD_INPUT]
        self._inotify: Inotify | None = None
        with contextlib.suppress(OSError):
            self._inotify = Inotify()
        self._writing: set[tuple[str, str]] = set()
        self._told_of_all = False
        self._changed = False
        self._arm()
        self._print = self._look()

    async def changed(self) -> None:
        """Wait until something may have changed since the last call returned.

        While a file is being written, this waits for its end (5 s at most), so that a file is not
        read half written. Cancelling loses nothing.
        """
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        while True:
            self._changed = self._has_changed() or self._changed
            if self._changed and deadline is None:
                deadline = loop.time() + _LONGEST_WRITE_S
            if deadline is not None and (not self._writing or loop.time() >= deadline):
                self._writing.clear()
                self._changed = False
                self._print = self._look()
                return
            await self._wait(loop, deadline)

    async def _wait(self, loop: asyncio.AbstractEventLoop, deadline: float | None) -> None:
        """Wait for events or the time to look."""
        if self._inotify is None:
            await asyncio.sleep(_LOOK_WITHOUT_INOTIFY_S)
            return
        readable = asyncio.Event()
        loop.add_reader(self._inotify.descriptor, readable.set)
        limit = _LOOK_S if self._told_of_all else _LOOK_WITHOUT_INOTIFY_S
        if deadline is not None:
            limit = max(deadline - loop.time(), 0.001)
        try:
            async with asyncio.timeout(limit):
                await readable.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._inotify.descriptor)

    def _has_changed(self) -> bool:
        events = self._inotify.events() if self._inotify is not None else []
        told = [self._tells(event) for event in events]
        if any(event.mask & (CONTENT | GONE | OVERFLOW) or event.name for event in events):
            self._arm()
        return any(told) or self._look() != self._print

    def _tells(self, event: Event) -> bool:
        """Tell whether an event by itself means that a file of ours has new content."""
        if event.mask & OVERFLOW:
            return True
        place = (event.directory, event.name)
        if place not in self._files and not self._is_member(event):
            return False
        if event.mask & MODIFY:
            self._writing.add(place)
        if event.mask & CONTENT:
            self._writing.discard(place)
        return bool(event.mask & CONTENT)

    def _is_member(self, event: Event) -> bool:
        return event.directory in self._directories and event.name.endswith(SUFFIXES)

    def _arm(self) -> None:
        """Watch every directory in which a change of the paths would show."""
        self._files = {
            (str(place.parent.resolve()), place.name)
            for path in self._paths
            for place in (path, path.resolve())
        }
        self._directories = {str(path.resolve()) for path in self._paths if path.is_dir()}
        if self._inotify is not None:
            wanted = frozenset(name for path in self._paths for name in _watched(path))
            self._told_of_all = self._inotify.watch(wanted)

    def _look(self) -> _Print:
        return tuple(sorted(entry for path in self._paths for entry in _print_of(path)))

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None


def _watched(path: Path) -> Iterator[str]:
    """Find the directories in which a change of `path` shows: its own and those of its links."""
    for _ in range(_MOST_LINKS):
        link = next((part for part in (path, *path.parents) if part.is_symlink()), None)
        if link is None:
            yield str(_nearest_directory(path).resolve())
            return
        yield str(link.parent.resolve())
        path = link.parent / link.readlink() / path.relative_to(link)


def _nearest_directory(path: Path) -> Path:
    """Find the directory that `path` is, or is in, or would be in."""
    return next(part for part in (path, *path.parents) if part.is_dir())


def _print_of(path: Path) -> Iterator[tuple[str, int, int, int]]:
    """Return what identifies the present content of a file, or of the files of a directory."""
    files = [path]
    if path.is_dir():
        try:
            files = members(path)
        except OSError:
            files = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            yield str(file), 0, 0, 0
        else:
            yield str(file), status.st_ino, status.st_size, status.st_mtime_ns
