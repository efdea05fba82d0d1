"""The kernel's inotify: which entries of some directories changed (inotify(7)).

Python's standard library has no binding, and pyroute2's blocks; these few calls go through libc.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import NamedTuple

MODIFY = 0x2
ATTRIB = 0x4
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
OVERFLOW = 0x4000
IGNORED = 0x8000

CONTENT = CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE
"""Events after which an entry of a directory may say something else."""
GONE = DELETE_SELF | MOVE_SELF | IGNORED
"""Events after which a watch no longer is where its directory's name leads."""

_WATCHED = MODIFY | ATTRIB | CONTENT | CREATE | DELETE_SELF | MOVE_SELF
_ONLY_DIRECTORIES = 0x01000000
_HEADER = struct.Struct("iIII")
_BUFFER = 1 << 16
_MOST_READS = 64


class Event(NamedTuple):
    """Something that happened to entry `name` of the watched directory `directory`."""

    directory: str
    name: str
    mask: int


class Inotify:
    """Watches directories without blocking; `descriptor` is readable when there are events."""

    def __init__(self) -> None:
        """Raise OSError when the kernel gives none (not there, or too many)."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self._call(self._libc.inotify_init1, os.O_NONBLOCK | os.O_CLOEXEC)
        self._by_watch: dict[int, str] = {}
        self._by_directory: dict[str, int] = {}

    @staticmethod
    def _call(function: ctypes._NamedFuncPointer, *arguments: int | bytes) -> int:
        result: int = function(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def watch(self, directories: frozenset[str]) -> bool:
        """Watch exactly these directories; False when one of them cannot be watched."""
        for directory in self._by_directory.keys() - directories:
            self._drop(directory)
        missing = sorted(directories - self._by_directory.keys())
        refused = [directory for directory in missing if not self._add(directory)]
        return not refused

    def _add(self, directory: str) -> bool:
        mask = _WATCHED | _ONLY_DIRECTORIES
        name = os.fsencode(directory)
        try:
            watch = self._call(self._libc.inotify_add_watch, self.descriptor, name, mask)
        except OSError:
            return False
        self._by_watch[watch] = directory
        self._by_directory[directory] = watch
        return True

    def _drop(self, directory: str) -> None:
        watch = self._by_directory.pop(directory)
        self._by_watch.pop(watch, None)
        self._libc.inotify_rm_watch(self.descriptor, watch)

    def events(self) -> list[Event]:
        """Take what has happened since the last call; a directory that is gone is unwatched."""
        found: list[Event] = []
        for _ in range(_MOST_READS):
            try:
                data = os.read(self.descriptor, _BUFFER)
            except BlockingIOError:
                break
            found.extend(self._parsed(data))
        for event in found:
            if event.mask & GONE and event.directory in self._by_directory:
                self._drop(event.directory)
        return found

    def _parsed(self, data: bytes) -> list[Event]:
        found: list[Event] = []
        offset = 0
        while offset + _HEADER.size <= len(data):
            watch, mask, _, length = _HEADER.unpack_from(data, offset)
            start = offset + _HEADER.size
            offset = start + length
            name = os.fsdecode(data[start:offset].rstrip(b"\0"))
            if watch in self._by_watch or mask & OVERFLOW:
                found.append(Event(self._by_watch.get(watch, ""), name, mask))
        return found

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)
