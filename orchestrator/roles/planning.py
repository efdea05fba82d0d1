"""The loop that plans: at once after a change when it was quiet, else after a short while (DESIGN 4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from orchestrator.adapters import clock
from orchestrator.adapters.pace import plan_seconds
from orchestrator.roles.quiet_time import QuietTime


class Planning:
    """Calls `plan` when the world has changed."""

    def __init__(self, plan: Callable[[], None]) -> None:
        self._plan = plan
        self._quiet = QuietTime()
        self._dirty = asyncio.Event()
        self.seconds = plan_seconds()
        self.since = 0.0
        """When the first of the changes came that the last plan heeds (monotonic clock)."""

    def mark(self) -> None:
        """Take it that something changed."""
        self._quiet.mark(clock.monotonic())
        self._dirty.set()

    def hurry(self) -> None:
        """Take it that something changed that completes another change: nothing is waited for."""
        self._quiet.hurry(clock.monotonic())
        self.mark()

    def due(self) -> float | None:
        """Return when the next plan is to be made, None while nothing has changed."""
        return self._quiet.due()

    async def run(self) -> None:
        """Plan until cancelled."""
        while True:
            due = self._quiet.due()
            pause = None if due is None else due - clock.monotonic()
            if pause is None or pause > 0:
                await self._marked(pause)
                continue
            began = clock.monotonic()
            self.since = self._quiet.since or began
            self._quiet.planned(began)
            self._plan()
            took_s = clock.monotonic() - began
            self._quiet.took(took_s)
            self.seconds.observe(took_s)

    async def _marked(self, limit_s: float | None) -> None:
        """Wait for the next mark, at most this long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._dirty.wait()
        self._dirty.clear()
