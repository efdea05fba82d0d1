"""The controller's Lease: watched, renewed, handed over; says whether this replica may write."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from orchestrator.adapters import clock
from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube.access import Access, Answer, UnreachableError
from orchestrator.adapters.kube.listing import list_once
from orchestrator.adapters.kube.reflections import Reflections
from orchestrator.kube.actions import Changed
from orchestrator.kube.lease import Action, Election, Leading, Lease, WriteLease
from orchestrator.kube.lease_object import NAME, decode_lease, lease_write
from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import LEASES
from orchestrator.kube.wire import decode_refusal

LOG = logging.getLogger(__name__)
LEAVE_LIMIT_S = 5.0
_ANOTHER_VERSION = (404, 409)
"""Answers to a write that is based on a version which the Lease does not have."""


class Leadership:
    """A replica's part in the election. `on_change` is called when it begins or ceases to lead."""

    def __init__(
        self, access: Access, namespace: str, name: str, on_change: Callable[[], None]
    ) -> None:
        self._access = access
        self._namespace = namespace
        self._on_change = on_change
        self._election = Election(f"{name}_{uuid.uuid4().hex[:8]}", random.uniform)
        selector = f"metadata.name={NAME}"
        self._resource = replace(LEASES, namespace=namespace, field_selector=selector)
        self._reflections = Reflections(access, (self._resource,), self._observe, lambda: None)
        self._timer: asyncio.TimerHandle | None = None
        self._group: asyncio.TaskGroup | None = None
        self._cause = ""
        self._exists = False
        """Whether there is a Lease, as far as the watch has told."""
        self._leaving = False
        self._left = asyncio.Event()

    def may_write(self) -> bool:
        """Tell whether this replica may write at this moment."""
        return self._election.may_write(clock.monotonic())

    @property
    def holder(self) -> str:
        """Who holds the Lease as far as is known here."""
        return self._election.holder

    async def run(self) -> None:
        """Take part until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._reflections.run()

    async def leave(self) -> None:
        """Give the Lease back; returns when that is done, or cannot be done soon."""
        self._leaving = True
        self._do(self._election.leave(clock.monotonic()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_LIMIT_S):
                await self._left.wait()

    def _observe(self, _resource: Resource, changed: Changed) -> None:
        """Take the Lease as the watch tells it; one that is gone can be made anew.

        A list that says nothing new of a Lease that is known does not say that it is gone.
        """
        now = clock.monotonic()
        if changed.gone or changed.objects:
            self._exists = bool(changed.objects)
        for one in changed.objects:
            with contextlib.suppress(msgspec.MsgspecError):
                self._do(self._election.observe(decode_lease(one.text), now))
        if not self._exists:
            self._do(self._election.observe(Lease(), now))

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Leading):
                LOG.info("%s: %s", "leading" if action.leads else "not leading", action.why)
                self._on_change()
            elif self._group is not None:
                self._group.create_task(self._write(action))
        if self._leaving and self._election.left:
            self._left.set()
        self._set_timer()

    async def _write(self, wanted: WriteLease) -> None:
        write = lease_write(wanted, self._namespace, clock.wall_micros())
        status, taken = 0, None
        with contextlib.suppress(UnreachableError, msgspec.MsgspecError):
            answer = await self._access.send(write)
            status = answer.status
            self._complain(answer)
            taken = decode_lease(answer.body) if status in (200, 201) else None
        now = clock.monotonic()
        if taken is not None:
            self._do(self._election.written(taken, now))
            return
        self._do(self._election.refused(now))
        if status in _ANOTHER_VERSION:
            await self._look()

    async def _look(self) -> None:
        """Read the Lease: a watch says nothing of one that a restored store has put back."""
        with contextlib.suppress(AdapterError):
            listed = await list_once(self._access, (self._resource,))
            found = listed.objects.get(self._resource)
            if found is not None:
                self._exists = bool(found)
                self._observe(self._resource, Changed(found, (), complete=True))

    def _complain(self, answer: Answer) -> None:
        """Say why the Lease cannot be written, once for each cause; another one's write is no cause."""
        cause = "" if answer.status in (200, 201, 409) else decode_refusal(answer.body).message
        if cause and cause != self._cause:
            LOG.error("the API server refuses to write the Lease: %s", cause)
        self._cause = cause

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._election.next_timer()
        loop = asyncio.get_running_loop()
        self._timer = None if due is None else loop.call_at(due, self._due)

    def _due(self) -> None:
        self._do(self._election.handle_timer(clock.monotonic()))
