"""Where a role has its configuration and its Services from: files, or the API server of a cluster."""

from __future__ import annotations

from typing import Protocol

from orchestrator.config.reading import Reading
from orchestrator.model.problem import Problem


class Readings(Protocol):
    """What a role plans from."""

    @property
    def allocates(self) -> bool:
        """Whether the role gives addresses itself."""

    @property
    def reading(self) -> Reading | None:
        """What is in force; None while too little is known to decide anything."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with it."""

    @property
    def fresh(self) -> bool:
        """Whether it is known to be as it is now."""

    async def start(self) -> None:
        """Begin; raises `AdapterError` when that cannot be."""

    async def run(self) -> None:
        """Follow changes until cancelled."""

    def reload(self) -> None:
        """Read everything again soon, where that means anything."""
