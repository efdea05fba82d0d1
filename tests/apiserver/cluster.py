"""What tests of roles ask of a cluster, be it a real API server or the model of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from orchestrator.lab.apiserver import Answer


class Cluster(Protocol):
    """An API server that answers requests of the test, as the administrator."""

    @property
    def kubeconfig(self) -> Path:
        """How others reach it."""
        ...

    def request(self, method: str, path: str, body: Any = None, kind: str = "json") -> Answer:
        """Send a request; `kind` is that of the body's content type."""
        ...

    def kill(self) -> None:
        """Let it answer nobody any more."""
        ...

    def start(self) -> None:
        """Let it answer again, with what it had."""
        ...
