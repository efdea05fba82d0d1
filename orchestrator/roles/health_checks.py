"""The health checks of a role: run, and remembered over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.adapters.health_memory import HealthMemory
from orchestrator.adapters.probes import CheckRunner
from orchestrator.model.virtual_ip import Check, Health, VirtualIP

_BETWEEN_WRITES_S = 0.1


class HealthChecks:
    """Knows the health of every VirtualIP that has a check.

    It is `settled` as soon as every check that is wanted has had its first answer, or is known from
    a predecessor; from then on it stays so.
    """

    def __init__(self, path: Path, on_change: Callable[[], None]) -> None:
        self._memory = HealthMemory(path)
        self._runner = CheckRunner(lambda _: self._changed(), self._memory.read())
        self._on_change = on_change
        self._unwritten = asyncio.Event()
        self._wanted: Mapping[str, Check] = {}
        self._unchecked: frozenset[str] = frozenset()
        self._assumed_up: frozenset[str] = frozenset()
        self._settled = False

    @property
    def settled(self) -> bool:
        """Tell whether enough is known to decide anything; no VIP is up or down by ignorance."""
        if not self._settled:
            self._settled = self._wanted.keys() <= self._runner.health().keys()
        return self._settled

    def want(self, vips: Mapping[str, VirtualIP]) -> None:
        """Check exactly these VIPs, as far as they have a check."""
        wanted = {name: vip.check for name, vip in vips.items() if vip.check is not None}
        self._assumed_up = (self._assumed_up | self._unchecked) & wanted.keys()
        self._unchecked = frozenset(vips.keys() - wanted.keys())
        if wanted != self._wanted:
            self._wanted = wanted
            self._runner.want(wanted)

    def health(self, vips: Mapping[str, VirtualIP]) -> Mapping[str, Health]:
        """Return the health of each VIP that has a check: down until its first answer.

        One that was there without a check stays up until then: adding a check costs no route.
        """
        known = self._runner.health()
        checked = (name for name, vip in vips.items() if vip.check is not None)
        return {name: known.get(name, self._at_first(name)) for name in checked}

    def _at_first(self, name: str) -> Health:
        return Health.UP if name in self._assumed_up else Health.DOWN

    def known(self) -> Mapping[str, Health]:
        """Return the health of every VIP that has had an answer."""
        return self._runner.health()

    def details(self) -> Mapping[str, str]:
        """Return what was seen when the health of each VIP last changed, such as `HTTP 503`."""
        return self._runner.details()

    async def run(self) -> None:
        """Check until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runner.run())
            group.create_task(self._remember())

    async def _remember(self) -> None:
        """Write what changed: the first change at once, many together."""
        try:
            while True:
                await self._unwritten.wait()
                self._write()
                await asyncio.sleep(_BETWEEN_WRITES_S)
        finally:
            if self._unwritten.is_set():
                self._write()

    def _write(self) -> None:
        self._unwritten.clear()
        self._memory.write(self._runner.health())

    def _changed(self) -> None:
        self._unwritten.set()
        self._on_change()
