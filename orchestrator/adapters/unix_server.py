"""Unix stream sockets for the roles of one node: 0660, replaced when a dead process left one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from orchestrator.adapters.errors import AdapterError

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MAX_LINE = 16 * 1024 * 1024
"""Longest line taken: more than 100,000 addresses with their interface."""


@contextlib.asynccontextmanager
async def serve_unix(path: Path, converse: Conversation) -> AsyncIterator[None]:
    """Serve `converse` on `path` while the context lasts; raise `AdapterError` if it cannot.

    The caller holds the role's lock, so a socket that is already there is a dead process's.
    """
    _remove(path)
    try:
        server = await asyncio.start_unix_server(converse, str(path), limit=MAX_LINE)
    except OSError as error:
        raise AdapterError(str(path), f"cannot listen here: {error.strerror or error}") from error
    _share_with_group(path)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _share_with_group(path: Path) -> None:
    path.chmod(0o660)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
