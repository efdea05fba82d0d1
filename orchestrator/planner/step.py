"""One link of the chain that `explain` shows, from a Service to the network (CLI.md)."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.plan import Reason


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain; `reason` of a good one is `announced`."""

    step: str
    ok: bool
    reason: Reason
    message: str


def good(step: str, message: str) -> Step:
    """Make a link that holds."""
    return Step(step, ok=True, reason=Reason.ANNOUNCED, message=message)


def broken(step: str, reason: Reason, message: str) -> Step:
    """Make a link that does not hold."""
    return Step(step, ok=False, reason=reason, message=message)
