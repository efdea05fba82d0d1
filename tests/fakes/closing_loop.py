"""An event loop that can wait until every connection of it is closed, which TLS makes last some turns."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

LIMIT_S = 60.0
"""Longer than asyncio waits for a peer's end of a TLS connection (30 s)."""
TURN_S = 0.005
T = TypeVar("T")


class ClosingLoop(asyncio.SelectorEventLoop):
    """A loop whose connections may still be closing when their owner has let go of them."""

    def __init__(self) -> None:
        self._watched = selectors.DefaultSelector()
        super().__init__(self._watched)

    async def closed(self) -> None:
        """Wait until no file is watched but that by which the loop is woken."""
        for _ in range(int(LIMIT_S / TURN_S)):
            if len(self._watched.get_map()) == 1:
                return
            await asyncio.sleep(TURN_S)
        raise AssertionError(f"connections stay open: {list(self._watched.get_map())}")


def run_and_close(work: Coroutine[Any, Any, T]) -> T:
    """Run as `asyncio.run` does, and end when every connection is closed."""
    loop = ClosingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(work)
        finally:
            runner.run(loop.closed())
