"""Sends what waits in an outbox, as long as this process may write."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import Access, Answer, UnreachableError
from orchestrator.kube.outbox import Outbox, Outcome, Rank
from orchestrator.kube.wire import WireError, decode_object, decode_refusal
from orchestrator.kube.writes import Write

LOG = logging.getLogger(__name__)


class Writer:
    """Writes to the API server. `may_write` is asked before each request.

    `on_outcome` is told the label of each write, what became of it, and the answer's body.
    """

    def __init__(
        self,
        access: Access,
        may_write: Callable[[], bool],
        on_outcome: Callable[[str, Outcome, bytes], None],
    ) -> None:
        self._access = access
        self._may_write = may_write
        self._on_outcome = on_outcome
        self.outbox = Outbox(random.uniform)
        access.figures.outboxes.append(self.outbox)
        self._wake = asyncio.Event()

    def put(self, write: Write, rank: Rank) -> None:
        """Let a write go out soon."""
        self.outbox.put(write, rank)
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                if not self._may_write():
                    self.outbox.clear()
                for write in self.outbox.take(clock.monotonic()):
                    group.create_task(self._send(write))
                await self._next()

    async def _next(self) -> None:
        due = self.outbox.next_timer()
        limit_s = None if due is None else max(due - clock.monotonic(), 0.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._wake.wait()
        self._wake.clear()

    async def _send(self, write: Write) -> None:
        answer = await self._answer(write)
        status, retry_after_s = answer.status, answer.retry_after_s
        outcome = self.outbox.done(write.label, status, retry_after_s, clock.monotonic())
        self._count(outcome, answer)
        self._log(write, outcome, answer)
        self._on_outcome(write.label, outcome, answer.body)
        self._wake.set()

    async def _answer(self, write: Write) -> Answer:
        if not self._may_write():
            return Answer(409, 0.0, b"")  # another one writes now
        try:
            return await self._access.send(write)
        except UnreachableError:
            return Answer(0, 0.0, b"")

    def _count(self, outcome: Outcome, answer: Answer) -> None:
        figures = self._access.figures
        figures.refused += outcome is Outcome.REFUSED
        if outcome is Outcome.DONE:
            with contextlib.suppress(WireError):  # who deletes is answered with what is no object
                figures.wrote(decode_object(answer.body).version)

    @staticmethod
    def _log(write: Write, outcome: Outcome, answer: Answer) -> None:
        if outcome is Outcome.REFUSED:
            message = decode_refusal(answer.body).message
            fields = {"about": write.label, "status": answer.status}
            LOG.error("the API server refuses a write: %s", message, extra=fields)
