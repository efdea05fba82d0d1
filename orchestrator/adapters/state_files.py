"""Small JSON files that outlive a process: written atomically, read with suspicion."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.adapters.errors import AdapterError


def make_directory(path: Path, mode: int = 0o750) -> None:
    """Create `path` (and its parents) if it is missing; raise `AdapterError` if that fails."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        text = f"cannot make this directory: {error.strerror}; make it, or name another"
        raise AdapterError(str(path), text) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise AdapterError(str(path), "this directory is not writable for this user")


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `content` in one step: a reader sees the old or the new, never a part.

    Raises `AdapterError` when it cannot be written; the old content then stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # a leftover of a killed process may have another
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise AdapterError(str(path), f"cannot be written: {error.strerror}") from error


def write_json(path: Path, document: Any) -> None:
    """Replace `path` by `document` as JSON, bytes as base64; errors as `write_file`."""
    write_file(path, msgspec.json.encode(document, order="sorted") + b"\n")


def read_json(path: Path) -> Any | None:
    """Return what `path` holds; None when it is missing or is not JSON (half written by others)."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
