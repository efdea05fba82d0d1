"""The model of the API server in a thread of its own, asked as the lab's real one is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl

from orchestrator.kube.resource import Resource
from orchestrator.kube.resources import (
    EVENTS,
    LEASES,
    SERVICES,
    WRITTEN_BY_NODES,
    watched_by_speaker,
)
from orchestrator.lab.apiserver import Answer
from tests.fakes.apiserver import Collection, FakeApiServer
from tests.fakes.apiserver_http import FakeApiServerHttp
from tests.fakes.closing_loop import ClosingLoop

LIMIT_S = 30.0
_OF_THE_CLUSTER = frozenset({"nodes", "namespaces"})
_WITH_STATUS = frozenset({"services", "nodes"})
T = TypeVar("T")


def collection_of(resource: Resource) -> Collection:
    """Return how the model holds a resource."""
    plural = resource.plural
    made = Collection(resource.group, resource.version, plural, resource.kind)
    status = made.custom or plural in _WITH_STATUS
    return made._replace(namespaced=plural not in _OF_THE_CLUSTER, status=status)


ALL = tuple(
    map(collection_of, (*watched_by_speaker("x"), *WRITTEN_BY_NODES, EVENTS, LEASES)),
)
"""Every kind that a role reads or writes."""
OF_SERVICES = collection_of(SERVICES)


class ModelServer:
    """A served model, up while the `with` block lasts. `http` does what it is told wrong.

    What is done here is no request: only those of clients are in the log of `http`.
    """

    def __init__(self, directory: Path) -> None:
        self.model = FakeApiServer(*ALL)
        self.http = FakeApiServerHttp(self.model)
        self.kubeconfig = directory / "kubeconfig"
        self._loop = ClosingLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        self.http.kubeconfig(self.kubeconfig)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._run(self._loop.closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def start(self) -> None:
        """Listen, after `kill` on the port that it had."""
        self._run(self.http.start())

    def kill(self) -> None:
        """Listen no longer, and break every connection."""
        self._run(self.http.stop())

    def do(self, what: Callable[[], T]) -> T:
        """Do something to the model while no request is."""

        async def now() -> T:
            return what()

        return self._run(now())

    def request(self, method: str, path: str, body: Any = None, kind: str = "json") -> Answer:
        """Answer a request; `kind` is that of the body's content type."""
        place, _, query = path.partition("?")
        words = dict(parse_qsl(query))
        found = self.do(
            lambda: self.model.answer(method, place, words, body, f"application/{kind}")
        )
        return Answer(found.status, found.document)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)
