"""Configuration files, directories and standard input, read into sources.

What counts as truth and what as ignorance (DESIGN 4): a file that is gone from a readable directory
is deleted; a directory that cannot be read, or a file given by name that is missing, says nothing,
so what it said before stays.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config.documents import MAX_BYTES
from orchestrator.config.source import Source
from orchestrator.model.problem import Problem, Severity

SUFFIXES = (".yaml", ".yml", ".json")
"""Files of a directory that are read."""
STANDARD_INPUT = Path("-")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """Sources in order; `unread` names the files and directories that could not be had."""

    sources: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: tuple[str, ...] = ()


def load(
    paths: Sequence[Path], previous: Loaded | None = None, stdin: bytes | None = None
) -> Loaded:
    """Read all files; of what cannot be had, the source of `previous` stays and a problem says so.

    `stdin` is what `-` stands for: standard input can be read once only, so the caller does it.
    """
    loading = _Loading(previous or Loaded())
    for path in paths:
        if path == STANDARD_INPUT:
            loading.add(Source("-", stdin or b""))
        else:
            loading.path(path)
    return loading.loaded()


def members(directory: Path) -> list[Path]:
    """List the files of a directory that are read, sorted by name. Raises OSError."""
    return [
        path
        for path in sorted(directory.iterdir())
        if path.suffix in SUFFIXES and not path.name.startswith(".") and not path.is_dir()
    ]


class _Loading:
    """One pass over the paths."""

    def __init__(self, previous: Loaded) -> None:
        self._former = {source.name: source for source in previous.sources}
        self._sources: dict[str, Source] = {}
        self._problems: list[Problem] = []
        self._unread: list[str] = []

    def add(self, source: Source) -> None:
        """Take a source, once."""
        self._sources.setdefault(source.name, source)

    def path(self, path: Path) -> None:
        """Read a file or a directory that was given by name."""
        try:
            if path.is_dir():
                self._directory(path)
            else:
                self.add(_read(path, named=True))
        except (OSError, ValueError) as error:
            self._keep(path, _words(error))

    def _directory(self, directory: Path) -> None:
        for path in members(directory):
            try:
                self.add(_read(path, named=False))
            except FileNotFoundError as error:
                if path.is_symlink():
                    self._keep(path, f"points nowhere: {_words(error)}")
            except (OSError, ValueError) as error:
                self._keep(path, _words(error))

    def _keep(self, path: Path, why: str) -> None:
        """Go on with what was known of a path, and say so."""
        kept = list(self._known(str(path)))
        for source in kept:
            self.add(source)
        stays = "; what it said before stays in force" if kept else ""
        message = f"cannot be read: {why}{stays}"
        hint = "check that it is there and that this user may read it"
        problem = Problem(Severity.ERROR, "unreadable", str(path), message, str(path), hint=hint)
        self._problems.append(problem)
        self._unread.append(str(path))

    def _known(self, name: str) -> Iterator[Source]:
        inside = name.rstrip("/") + "/"
        for known, source in self._former.items():
            if known == name or known.startswith(inside):
                yield source

    def loaded(self) -> Loaded:
        """Return what came of it."""
        return Loaded(tuple(self._sources.values()), tuple(self._problems), tuple(self._unread))


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _read(path: Path, *, named: bool) -> Source:
    """Read one file. Raises OSError, or ValueError when it is no regular file.

    A pipe that was given by name (`-f <(...)`) is read too, but not trusted.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        pipe = named and stat.S_ISFIFO(status.st_mode) and path.is_relative_to("/dev/fd")
        if not stat.S_ISREG(status.st_mode) and not pipe:
            raise ValueError("it is not a regular file")
        os.set_blocking(descriptor, True)
        return Source(str(path), _all_of(descriptor), trusted=_trusted(status))
    finally:
        os.close(descriptor)


def _all_of(descriptor: int) -> bytes:
    """Read to the end, or a little more than is allowed so that the excess is noticed."""
    parts: list[bytes] = []
    size = 0
    while size <= MAX_BYTES:
        part = os.read(descriptor, _CHUNK)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _trusted(status: os.stat_result) -> bool:
    """Tell whether only root or this user can have written the file (DESIGN 10)."""
    ours = status.st_uid in (0, os.geteuid())
    return ours and stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IWOTH
