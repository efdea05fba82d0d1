"""Addresses drawn from pools, kept in the state directory so that a restart moves nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.address import IPAddress
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Plan


class AssignmentMemory:
    """Remembers what every Service was assigned, written whenever a plan changes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held: Mapping[str, tuple[IPAddress, ...]] = _decode(read_json(path))
        self.error: AdapterError | None = None
        self._seen: tuple[Assignment, ...] = ()

    def draws(self, plan: Plan) -> bool:
        """Tell whether `plan` takes addresses from a pool that are not written down."""
        return plan.assignments is not self._seen and any(
            assignment.origin is Origin.AUTOMATIC
            and self.held.get(str(assignment.service)) != assignment.addresses
            for assignment in plan.assignments
        )

    def keep(self, plan: Plan) -> None:
        """Write down the assignments of `plan` if they changed; `error` says when that failed."""
        if plan.assignments is self._seen and self.error is None:
            return
        self._seen = plan.assignments
        held = {
            str(assignment.service): assignment.addresses
            for assignment in plan.assignments
            if assignment.state is AssignmentState.ASSIGNED
        }
        if held == self.held and self.error is None:
            return
        self.held = held
        try:
            write_json(self._path, {key: [str(a) for a in held[key]] for key in held})
        except AdapterError as error:
            self.error = error
        else:
            self.error = None


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
