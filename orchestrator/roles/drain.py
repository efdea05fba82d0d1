"""Draining this node: routes made unattractive, withdrawn after a wait; outlives a restart.

It is asked for by a command, or by the Node (annotation, cordon); whichever began it ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.adapters import clock
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.cluster import MAX_DRAIN_WAIT_S
from orchestrator.model.local import DrainPhase
from orchestrator.planner.draining import Asked

DEFAULT_WAIT_S = 30.0


class Drain:
    """Holds the phase, moves it on after the wait, and keeps it in the state directory."""

    def __init__(self, path: Path, on_change: Callable[[], None]) -> None:
        self._path = path
        self._on_change = on_change
        self._timer: asyncio.TimerHandle | None = None
        self.phase = DrainPhase.NONE
        self.since: str | None = None
        self._annotated = False

    def resume(self) -> None:
        """Take up a drain that a predecessor began."""
        kept = read_json(self._path)
        if not isinstance(kept, dict):
            return
        with contextlib.suppress(KeyError, TypeError, ValueError):
            phase, wait_s = DrainPhase(kept["phase"]), float(kept["waitSeconds"])
            self.since = str(kept["since"])
            self._annotated = bool(kept.get("annotated"))
            self._enter(phase, wait_s)

    async def drain(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Begin to drain; `wait` is seconds until the withdraw. Draining twice changes nothing."""
        wait_s = _seconds(query.get("wait", str(DEFAULT_WAIT_S)))
        if self.phase is DrainPhase.NONE:
            self.since = clock.wall()
            self._enter(DrainPhase.DEPRIORITISED, wait_s)
            self._write(wait_s)
        return self._answer()

    def follow(self, asked: Asked | None) -> None:
        """Take what the Node asks for, when it is its turn; None for nothing."""
        if asked is not None and self.phase is DrainPhase.NONE:
            wait_s = DEFAULT_WAIT_S if asked.wait_s is None else asked.wait_s
            self._annotated, self.since = True, asked.since
            self._enter(DrainPhase.DEPRIORITISED, wait_s)
            self._write(wait_s)
        elif asked is None and self._annotated:
            self._end()

    async def undrain(self, _query: Mapping[str, str]) -> dict[str, Any]:
        """Take the drain back."""
        self._end()
        return self._answer()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.phase, self.since, self._annotated = DrainPhase.NONE, None, False
        self._write(0.0)
        self._on_change()

    def _enter(self, phase: DrainPhase, wait_s: float) -> None:
        self.phase = phase
        if phase is DrainPhase.DEPRIORITISED:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._withdraw)
        self._on_change()

    def _withdraw(self) -> None:
        self._enter(DrainPhase.WITHDRAWN, 0.0)
        self._write(0.0)

    def _write(self, wait_s: float) -> None:
        kept = {"phase": self.phase.value, "since": self.since, "waitSeconds": wait_s}
        write_json(self._path, {**kept, "annotated": self._annotated})

    def _answer(self) -> dict[str, Any]:
        return {"phase": self.phase.value, "since": self.since}


def _seconds(text: str) -> float:
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= MAX_DRAIN_WAIT_S:
        raise ValueError(f"wait must be 0 to {MAX_DRAIN_WAIT_S} seconds, not {text!r}")
    return wait_s
