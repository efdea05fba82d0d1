"""The way to an API server: kubeconfig or service account, TLS, tokens that are renewed, one session.

The `kubernetes` package reads the credentials (contexts, exec plugins, OIDC, in-cluster tokens,
CAs, proxies) and makes the session; requests go over it as bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import yaml
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from orchestrator.adapters import clock
from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube.figures import Figures
from orchestrator.adapters.kube.proxy import proxy_for
from orchestrator.kube.throttle import Throttle
from orchestrator.kube.writes import Write

CONNECT_S = 10.0
ANSWER_S = 30.0
"""Longest time for the whole of an answer that is no stream."""
OVERLOADED = frozenset({429, 500, 502, 503, 504})
"""Answers of a server that cannot do what it is asked, whoever asks."""
_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
FAILURES = (aiohttp.ClientError, OSError, TimeoutError, kube_config.ConfigException)
"""What a request ends with that got no answer."""


class UnreachableError(AdapterError):
    """No answer: no server, no connection, or none in time."""


class Answer(NamedTuple):
    """Status, seconds to wait before another request (0: none said), and the body."""

    status: int
    retry_after_s: float
    body: bytes


class Access:
    """One API server, as one of its users. `open` first; `close` at the end."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._configuration: Configuration | None = None
        self._rest: RESTClientObject | None = None
        self._used: Counter[RESTClientObject] = Counter()
        """Requests under way over each session: a former one is closed after its last."""
        self._throttle = Throttle(random.uniform)
        self._reachable = asyncio.Event()
        self._queue = asyncio.Lock()
        """Held by the next request to go out in an outage; the others stand behind it."""
        self._renewing: asyncio.Lock = asyncio.Lock()
        self.figures = Figures()
        self.on_recovery: list[Callable[[], None]] = []
        """Called when the server answers again after an outage."""

    @property
    def host(self) -> str:
        """Where the server is."""
        return str(self._configuration.host) if self._configuration is not None else ""

    async def open(self) -> None:
        """Read the credentials; raises `AdapterError` when there are none that can be used."""
        await self._load()

    async def renew(self) -> None:
        """Read the credentials again: a token may have been replaced. Many at once do so once."""
        under_way = self._renewing.locked()
        async with self._renewing:
            if not under_way:
                with contextlib.suppress(AdapterError):
                    await self._load()

    async def _load(self) -> None:
        configuration = Configuration()
        try:
            await self._fill(configuration)
            configuration.proxy = configuration.proxy or proxy_for(configuration.host)
            configuration.client_session_kwargs = {"trust_env": False}
        except (kube_config.ConfigException, yaml.YAMLError, OSError, ValueError) as error:
            raise AdapterError(self._place, f"no way to a cluster: {error}") from error
        former = self._rest
        self._configuration, self._rest = configuration, RESTClientObject(configuration)
        if former is not None and not self._used[former]:
            await former.close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[RESTClientObject]:
        """Use the session of now, and keep it open as long."""
        rest = self._rest
        assert rest is not None
        self._used[rest] += 1
        try:
            yield rest
        finally:
            self._used[rest] -= 1
            if not self._used[rest]:
                del self._used[rest]
                if rest is not self._rest:
                    await rest.close()

    async def _fill(self, configuration: Configuration) -> None:
        if self._kubeconfig is None and in_pod():
            kube_config.load_incluster_config(client_configuration=configuration)
            return
        if not any(path.exists() for path in kubeconfigs(self._kubeconfig)):
            raise ValueError("there is no such file: name one with --kubeconfig or KUBECONFIG")
        await kube_config.load_kube_config(
            config_file=None if self._kubeconfig is None else str(self._kubeconfig),
            context=self._context,
            client_configuration=configuration,
        )

    @property
    def _place(self) -> str:
        if self._kubeconfig is not None:
            return str(self._kubeconfig)
        return "service account" if in_pod() else "kubeconfig"

    async def close(self) -> None:
        """End all connections."""
        for rest in {self._rest, *self._used}:
            if rest is not None:
                await rest.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = "application/json",
    ) -> Answer:
        """Send a request and return the whole answer; raises `UnreachableError`.

        One that the server does not know the sender of is sent again with credentials read anew.
        """
        answer = await self._whole(method, path, body, query, content_type)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        await self.renew()
        return await self._whole(method, path, body, query, content_type)

    async def _whole(
        self, method: str, path: str, body: Any, query: Sequence[tuple[str, str]], content_type: str
    ) -> Answer:
        try:
            async with (
                asyncio.timeout(ANSWER_S + CONNECT_S),
                self.exchange(method, path, body, query=query, content_type=content_type) as answer,
            ):
                return Answer(answer.status, retry_after_s(answer.headers), await answer.read())
        except FAILURES as error:
            raise UnreachableError(self.host, words_of(error)) from error

    async def send(self, write: Write) -> Answer:
        """Send a write and return the whole answer; raises `UnreachableError`."""
        return await self.request(
            write.method, write.path, write.body, content_type=write.content_type
        )

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = "application/json",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; the answer is there from its head on, and ends with the block.

        Raises one of FAILURES when there is none.
        """
        assert self._configuration is not None
        await self._turn()
        url = f"{self.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with self._session() as rest:
            try:
                made = await rest.request(
                    method, url, headers=headers, body=body, _request_timeout=timeout
                )
            except FAILURES:
                self._unanswered(method)
                raise
            response: aiohttp.ClientResponse = made.response
            self._answered(method, response.status)
            async with response:
                yield response

    def _unanswered(self, method: str) -> None:
        self.figures.requested(method, 0)
        self._throttle.failed(clock.monotonic())
        self._reachable.clear()

    def _answered(self, method: str, status: int) -> None:
        self.figures.requested(method, status)
        if status in OVERLOADED:
            self._throttle.refused(clock.monotonic())
            if not self._throttle.open:
                self._reachable.clear()
        elif self._throttle.answered():
            self._reachable.set()
            for tell in self.on_recovery:
                tell()

    async def _turn(self) -> None:
        """Wait until this request may go out: soon, and at once when another was answered."""
        async with self._queue:
            wait_s = self._throttle.wait_s(clock.monotonic())
            if wait_s:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._reachable.wait()
            self._throttle.sent(clock.monotonic())


def kubeconfigs(named: Path | None) -> list[Path]:
    """Return where credentials are looked for: the file that was named, KUBECONFIG, the home."""
    if named is not None:
        return [named]
    paths = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return [Path(path) for path in paths if path] or [Path.home() / ".kube" / "config"]


def in_pod() -> bool:
    """Tell whether this process runs in a pod of a cluster, which has a service account."""
    return _IN_CLUSTER in os.environ


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds after which the server wants to be asked again; 0 where it says none."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def words_of(error: BaseException) -> str:
    """Say in words why there was no answer."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
