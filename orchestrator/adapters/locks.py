"""Exclusive locks in the runtime directory: never two of one role (DESIGN 2)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orchestrator.adapters.errors import AdapterError


class RoleLock:
    """Holds `RUNTIME_DIR/ROLE.lock` until the process ends or `release` is called.

    The kernel drops the lock with the process, so a killed role leaves none behind. The file holds
    the process id of the holder, for messages only.
    """

    def __init__(self, runtime_dir: Path, role: str) -> None:
        self._path = runtime_dir / f"{role}.lock"
        self._role = role
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raise `LockHeldError` when another process has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise LockHeldError(self._path, self._role, holder) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class LockHeldError(AdapterError):
    """Another process has the role; `holder` is its process id as text, empty if not known."""

    def __init__(self, path: Path, role: str, holder: str) -> None:
        super().__init__(
            str(path),
            f"another {role} is running (process {holder or 'unknown'}); "
            "stop it, or give this one its own --runtime-dir",
        )
        self.holder = holder


def lock_holder(runtime_dir: Path, role: str) -> int | None:
    """Return the process id of who has the role now, None when nobody has."""
    if not (runtime_dir / f"{role}.lock").exists():
        return None  # looking must not leave a lock file
    lock = RoleLock(runtime_dir, role)
    try:
        lock.acquire()
    except LockHeldError as error:
        return int(error.holder) if error.holder.isdigit() else None
    lock.release()
    return None
