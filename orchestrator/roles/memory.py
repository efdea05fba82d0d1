"""Addresses drawn from pools, kept in the state directory so that a restart moves nothing."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.address import IPAddress
from orchestrator.model.alike import common_ends
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Plan

BEFORE_WRITING_S = 0.05
"""Pause before changes are written: what they mean for the network comes first."""


class AssignmentMemory:
    """Remembers what every Service was assigned; written whenever a plan changes it.

    `error` says why the last attempt to write failed; every further plan is another attempt.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held: Mapping[str, tuple[IPAddress, ...]] = _decode(read_json(path))
        self.error: AdapterError | None = None
        self._seen: tuple[Assignment, ...] = ()
        self._unwritten = asyncio.Event()

    def draws(self, plan: Plan) -> bool:
        """Tell whether `plan` takes addresses from a pool that are not written down."""
        return any(
            answer.origin is Origin.AUTOMATIC
            and self.held.get(str(answer.service)) != answer.addresses
            for answer in self._differing(plan)[1]
        )

    def keep(self, plan: Plan) -> None:
        """Hold the assignments of `plan`; they are written soon, or by `write` at once."""
        gone, come = self._differing(plan)
        held = dict(self.held) if self._seen else {}
        self._seen = plan.assignments
        fresh = {
            str(answer.service): answer.addresses
            for answer in come
            if answer.state is AssignmentState.ASSIGNED
        }
        for name in {str(answer.service) for answer in gone} - fresh.keys():
            held.pop(name, None)
        held.update(fresh)
        if held != self.held:
            self.held = held
            self._unwritten.set()
        elif self.error is not None:
            self._unwritten.set()

    def _differing(self, plan: Plan) -> tuple[tuple[Assignment, ...], tuple[Assignment, ...]]:
        """Return the assignments seen last that are not in `plan`, and those that are new in it."""
        old, new = self._seen, plan.assignments
        if old is new:
            return (), ()
        head, tail = common_ends(old, new)
        return old[head : len(old) - tail], new[head : len(new) - tail]

    def write(self) -> None:
        """Write what is held now."""
        self._unwritten.clear()
        try:
            write_json(self._path, {key: [str(a) for a in held] for key, held in self.held.items()})
        except AdapterError as error:
            self.error = error
        else:
            self.error = None

    async def run(self) -> None:
        """Write what changed once it was acted on, many changes together, until cancelled."""
        try:
            while True:
                await self._unwritten.wait()
                await asyncio.sleep(BEFORE_WRITING_S)
                self.write()
        finally:
            if self._unwritten.is_set():
                self.write()


def _decode(document: object) -> dict[str, tuple[IPAddress, ...]]:
    if not isinstance(document, dict):
        return {}
    try:
        return {
            str(key): tuple(ipaddress.ip_address(text) for text in texts)
            for key, texts in document.items()
        }
    except (TypeError, ValueError):
        return {}
