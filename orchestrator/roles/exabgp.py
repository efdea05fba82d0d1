"""The exabgp role: keeps one ExaBGP with its relay running, and ends it in good order."""

from __future__ import annotations

import asyncio
import logging

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.exabgp_farewell import withdraw_all
from orchestrator.adapters.exabgp_process import (
    ExaBGPProcess,
    demand_exabgp,
    ensure_configuration,
    other_version,
    set_aside,
)
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop
from orchestrator.adapters.state_files import make_directory
from orchestrator.settings import Settings

FIRST_PAUSE_S = 0.2
LAST_PAUSE_S = 10.0
GOOD_RUN_S = 10.0
"""A run as long as this shows that ExaBGP can start; the next pause is short again."""
FAILED_STARTS = 3
"""Bad runs after which the configuration is taken for the reason, and set aside."""

LOG = logging.getLogger(__name__)


class ExaBGPRole:
    """Holds the role's lock and its ExaBGP; `run` ends after TERM."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: ExaBGPProcess | None = None
        self._bad_runs = 0

    async def run(self) -> None:
        """Keep ExaBGP running until a stop is asked for; raise `AdapterError` if it cannot be."""
        demand_exabgp()
        make_directory(self._settings.runtime_dir)
        lock = RoleLock(self._settings.runtime_dir, "exabgp")
        lock.acquire()
        if (found := other_version()) is not None:
            LOG.warning("ExaBGP is not the version this was measured on", extra={"found": found})
        stop = Stop.on_signals(self._kill)
        supervising = asyncio.create_task(self._supervise())
        stopping = asyncio.create_task(stop.requested())
        await asyncio.wait({supervising, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if supervising.done():
            stopping.cancel()
            supervising.result()
        else:
            await self._stop(supervising)
        lock.release()

    async def _stop(self, supervising: asyncio.Task[None]) -> None:
        if self._process is not None and self._settings.on_stop == "withdraw":
            LOG.info("withdrawing every route before the stop")
            await withdraw_all(self._settings.relay_socket)
        supervising.cancel()
        await asyncio.wait({supervising})
        if self._process is not None:
            await self._process.stop()
        self._settings.relay_socket.unlink(missing_ok=True)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def _supervise(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            good = await self._run_once()
            pause = FIRST_PAUSE_S if good else min(pause * 2, LAST_PAUSE_S)
            if self._bad_runs == FAILED_STARTS:
                aside = set_aside(self._settings)
                text = "ExaBGP does not start with its configuration; it was set aside"
                LOG.error(text, extra={"path": str(aside)})
            await asyncio.sleep(pause)

    async def _run_once(self) -> bool:
        """Run ExaBGP to its end; tell whether it ran well."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            ensure_configuration(self._settings)
            self._process = await ExaBGPProcess.start(self._settings)
        except OSError as error:
            place = str(error.filename or self._settings.runtime_dir)
            raise AdapterError(place, f"ExaBGP cannot be started: {error.strerror}") from error
        LOG.info("ExaBGP started", extra={"pid": self._process.pid})
        status = await self._process.wait()
        self._process = None
        good = loop.time() - begun >= GOOD_RUN_S
        self._bad_runs = 0 if good else self._bad_runs + 1
        LOG.error("ExaBGP ended; starting it again", extra={"status": status})
        return good
