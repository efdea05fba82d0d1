"""A change of state worth telling: the unit of the event journal and of the logs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What became what, and why; the fields of `/api/v1/events` without the time (CLI.md)."""

    kind: str
    old: str | None
    new: str | None
    reason: str | None = None
    message: str = ""
    service: str | None = None
    vip: str | None = None
    node: str | None = None
    peer: str | None = None
