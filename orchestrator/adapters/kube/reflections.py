"""Reflectors at work: their requests over one `Access`, their timers, what they tell."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Iterable

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import FAILURES, Access, retry_after_s, words_of
from orchestrator.kube.actions import (
    Action,
    Changed,
    Close,
    Open,
    RenewCredentials,
    Trouble,
    Troubled,
)
from orchestrator.kube.reflector import Reflector
from orchestrator.kube.resource import Resource

LOG = logging.getLogger(__name__)

Listener = Callable[[Resource, Changed], None]


class Reflections:
    """Keeps resources known. `on_change` is called in the loop; `troubles` says what is wrong now."""

    def __init__(
        self,
        access: Access,
        resources: Iterable[Resource],
        on_change: Listener,
        on_trouble: Callable[[], None],
    ) -> None:
        self._access = access
        self._on_change = on_change
        self._on_trouble = on_trouble
        numbers = itertools.count(1)
        self._reflectors = [
            Reflector(one, random.uniform, lambda: next(numbers)) for one in resources
        ]
        access.figures.reflectors.extend(self._reflectors)
        access.on_recovery.append(self._wake)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._timers: dict[Reflector, asyncio.TimerHandle] = {}
        self._group: asyncio.TaskGroup | None = None
        self.troubles: dict[Resource, Troubled] = {}

    @property
    def reflectors(self) -> list[Reflector]:
        """All of them, for what is told of each."""
        return self._reflectors

    @property
    def unsynced(self) -> list[Resource]:
        """Resources of which it was never known what there is."""
        return [one.resource for one in self._reflectors if not one.synced]

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for one in self._reflectors:
                self._do(one, one.start(clock.monotonic()))
            try:
                await asyncio.Event().wait()
            finally:
                for timer in self._timers.values():
                    timer.cancel()

    def _do(self, reflector: Reflector, actions: Iterable[Action]) -> None:
        assert self._group is not None
        for action in actions:
            match action:
                case Open():
                    work = self._exchange(reflector, action)
                    self._running[action.request] = self._group.create_task(work)
                case Close(number):
                    if (task := self._running.pop(number, None)) is not None:
                        task.cancel()
                case RenewCredentials():
                    self._group.create_task(self._access.renew())
                case Changed(objects, gone):
                    self._access.figures.changed((one.version for one in objects), gone)
                    self._on_change(reflector.resource, action)
                case Troubled():
                    self._tell(reflector.resource, action)
        self._set_timer(reflector)

    def _set_timer(self, reflector: Reflector) -> None:
        timer = self._timers.pop(reflector, None)
        if timer is not None:
            timer.cancel()
        due = reflector.next_timer()
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timers[reflector] = loop.call_at(due, self._timer, reflector)

    def _wake(self) -> None:
        """Let none wait long that waits because of an outage which is over."""
        for one in self._timers.copy():
            one.wake(clock.monotonic())
            self._set_timer(one)

    def _timer(self, reflector: Reflector) -> None:
        self._do(reflector, reflector.handle_timer(clock.monotonic()))

    async def _exchange(self, reflector: Reflector, wanted: Open) -> None:
        """Carry a request, and its answer piece by piece."""
        number = wanted.request
        try:
            async with self._access.exchange("GET", wanted.path, query=wanted.query) as answer:
                head = answer.status, retry_after_s(answer.headers), clock.monotonic()
                self._do(reflector, reflector.answered(number, *head))
                async for piece in answer.content.iter_any():
                    self._do(reflector, reflector.received(number, piece, clock.monotonic()))
            ending = reflector.ended(number, clock.monotonic())
        except FAILURES as error:
            ending = reflector.failed(number, words_of(error), clock.monotonic())
        self._running.pop(number, None)
        self._do(reflector, ending)

    def _tell(self, resource: Resource, told: Troubled) -> None:
        """Log a trouble when it is another one than before, and its end."""
        before = self.troubles.pop(resource, None)
        if told.trouble is not None:
            self.troubles[resource] = told
        if (before.trouble if before else None) is told.trouble:
            return
        fields = {"resource": str(resource)}
        if told.trouble is None:
            LOG.info("watched again", extra=fields)
        else:
            level = logging.ERROR if told.trouble in _ERRORS else logging.WARNING
            LOG.log(level, "not watched: %s", told.message, extra=fields)
        self._on_trouble()


_ERRORS = {Trouble.FORBIDDEN, Trouble.UNAUTHORIZED, Trouble.RESTORED}
