"""The speaker: reads, plans, streams routes to the backend, and says what it does and why."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Protocol

from prometheus_client.registry import Collector

from orchestrator.adapters import clock
from orchestrator.adapters.exabgp_link import ExaBGPLink
from orchestrator.adapters.http_api import Control, HttpServer
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.pace import Flushing
from orchestrator.adapters.signals import Stop, on_signal
from orchestrator.adapters.state_files import make_directory
from orchestrator.model.live import Live
from orchestrator.model.plan import Plan
from orchestrator.model.policy import Policy
from orchestrator.model.problem import Problem, Severity
from orchestrator.roles.planning import Planning
from orchestrator.roles.readings import Readings
from orchestrator.roles.reconciler import Reconciler
from orchestrator.roles.status import Status
from orchestrator.settings import Settings

LOG = logging.getLogger(__name__)
Look = Callable[[], tuple[Plan | None, Live, tuple[Problem, ...], bool]]
NETWORK_LOOK_S = 5.0
"""How often this host's addresses are looked at for changes that matter to next hops."""


class Reports(Protocol):
    """What tells a cluster of this node."""

    def mark(self) -> None:
        """Take it that something may have changed."""

    async def run(self) -> None:
        """Tell until cancelled."""


@contextlib.contextmanager
def collection_put_off() -> Iterator[None]:
    """Keep the garbage collector from looking through what is just being built."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Speaker:
    """One node's speaker. `run` ends after TERM and leaves all routes in place.

    `sources` makes what it plans from; it is given what to call when that changed. `reports`, where
    there is a cluster to tell, makes what tells it of this node; it is given where to look. `figures`
    are further metrics.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Callable[[Callable[[], None]], Readings],
        reports: Callable[[Look], Reports] | None = None,
        figures: Iterable[Collector] = (),
    ) -> None:
        self._settings = settings
        self._planning = Planning(self._plan)
        self._flushing = Flushing()
        self._frozen = False
        self._reconciler = Reconciler(
            settings,
            sources(self._planning.mark),
            ExaBGPLink(settings, on_change=self._progressed),
            on_change=self._planning.mark,
            on_bound=self._planning.hurry,
            on_layer2=self._observe,
        )
        self._status = Status(self._reconciler, "speaker", self._planning.due)
        self._status.collectors = (
            self._planning.seconds,
            self._flushing.seconds,
            *figures,
        )
        self._reports = reports(self._look) if reports is not None else None
        self._http = HttpServer(
            self._status, self._controls(), settings.status_socket, settings.http_address
        )

    async def run(self) -> None:
        """Take the lock, work until TERM, leave."""
        make_directory(self._settings.runtime_dir)
        make_directory(self._settings.state_dir)
        lock = RoleLock(self._settings.runtime_dir, "speaker")
        lock.acquire()
        stop = Stop.on_signals()
        on_signal(signal.SIGHUP, self._reconciler.sources.reload)
        on_signal(signal.SIGUSR1, self._dump)
        self._reconciler.drain.resume()
        with collection_put_off():
            await self._reconciler.sources.start()
        gc.freeze()
        await self._reconciler.look_at_network()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in self._works()]
            await stop.requested()
            for task in tasks:
                task.cancel()
        lock.release()

    def _works(self) -> list[Coroutine[None, None, None]]:
        parts = self._reconciler
        told = [] if self._reports is None else [self._reports.run()]
        return [
            *told,
            parts.backend.run(),
            parts.addresses.run(),
            parts.layer2.run(),
            parts.supervisor.run(),
            parts.checks.run(),
            parts.sources.run(),
            parts.memory.run(),
            self._http.run(),
            self._watch_network(),
            self._planning.run(),
        ]

    def _controls(self) -> dict[str, Control]:
        drain = self._reconciler.drain
        return {"drain": drain.drain, "undrain": drain.undrain, "reload": self._reload}

    async def _reload(self, _query: Mapping[str, str]) -> dict[str, Any]:
        self._reconciler.sources.reload()
        return {"reloading": True}

    def _observe(self) -> None:
        self._status.observe()
        if self._reports is not None:
            self._reports.mark()

    def _look(self) -> tuple[Plan | None, Live, tuple[Problem, ...], bool]:
        """Return what is so now, for what is told of it."""
        parts = self._reconciler
        policy = parts.sources.reading.policy if parts.sources.reading else Policy()
        wanted = policy.settings.bgp_status_objects
        return parts.plan, self._status.live(), self._status.problems(), wanted

    def _progressed(self) -> None:
        """Take it that sessions changed, or routes got further."""
        sessions = self._reconciler.backend.sessions().values()
        self._flushing.look(sessions, clock.monotonic())
        self._planning.mark()

    def _plan(self) -> None:
        with collection_put_off():
            settled = self._reconciler.reconcile()
        sessions = self._reconciler.backend.sessions().values()
        self._flushing.begin(self._planning.since, sessions)
        error = self._http.tcp_error
        problem = Problem(Severity.WARNING, "httpNotServed", "--http", error or "")
        self._status.own_problems = {"http": problem} if error else {}
        self._observe()
        if settled and not self._frozen:
            # What there is now stays for long: looking through it for garbage would take hundreds
            # of milliseconds with 10,000 Services, again and again. So what was read is left out
            # at the start, and what was made of it here.
            gc.freeze()
            self._frozen = True

    async def _watch_network(self) -> None:
        while True:
            await asyncio.sleep(NETWORK_LOOK_S)
            await self._reconciler.look_at_network()

    def _dump(self) -> None:
        documents = {name: self._status.document(name) for name in ("status", "sessions", "plan")}
        LOG.info("state dump", extra={"dump": documents})
