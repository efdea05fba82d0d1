"""Signals as events of the loop: TERM and INT ask for a stop, a second one stops at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """A request to stop that came by signal."""

    def __init__(self, at_once: Callable[[], None] | None = None) -> None:
        self._event = asyncio.Event()
        self._at_once = at_once

    @classmethod
    def on_signals(cls, at_once: Callable[[], None] | None = None) -> Stop:
        """Watch for TERM and INT; the second ends the process after `at_once`."""
        stop = cls(at_once)
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop.request)
        return stop

    def request(self) -> None:
        """Ask for a stop; asking twice stops at once."""
        if self._event.is_set():
            if self._at_once is not None:
                self._at_once()
            os._exit(128 + signal.SIGTERM)
        self._event.set()

    async def requested(self) -> None:
        """Wait until a stop is asked for."""
        await self._event.wait()


def on_signal(number: int, callback: Callable[[], None]) -> None:
    """Call `callback` in the event loop whenever signal `number` arrives."""
    asyncio.get_running_loop().add_signal_handler(number, callback)
