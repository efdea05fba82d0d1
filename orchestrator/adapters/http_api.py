"""The HTTP face of a running role: health, metrics, JSON, status page (CLI.md).

Read-only on TCP. The Unix socket serves the same and takes the control requests besides: whoever
may open it may drain and reload.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.status_page import render_page

LOG = logging.getLogger(__name__)
RETRY_S = 5.0
"""Pause before a taken port is tried again."""


class StatusSource(Protocol):
    """What a role can say; documents are what JSON can hold."""

    def alive(self) -> bool:
        """Tell whether the role's loop turns."""
        ...

    def ready(self) -> tuple[bool, str]:
        """Tell whether sources were read and the backend answers, and if not, what is missing."""
        ...

    def document(self, name: str) -> Any | None:
        """Return the document `status`, `sessions`, `routes`, `vips`, `plan` or `events`."""
        ...

    def explain(self, target: str) -> Any | None:
        """Return the explanation of an address or Service; None when nobody has it."""
        ...

    def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        ...

    def follow(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield events as they happen."""
        ...


Control = Callable[[Mapping[str, str]], Awaitable[Any]]
"""A control request: query parameters in, document out; ValueError is the caller's fault."""

DOCUMENTS = ("status", "sessions", "routes", "vips", "plan")


def application(
    source: StatusSource, controls: Mapping[str, Control] | None = None
) -> web.Application:
    """Make the application; `controls` only where the caller may change things."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(lambda: (source.alive(), "the loop hangs")))
    app.router.add_get("/readyz", _probe(source.ready))
    app.router.add_get("/metrics", _metrics(source))
    app.router.add_get("/", _page(source))
    for name in DOCUMENTS:
        app.router.add_get(f"/api/v1/{name}", _document(source, name))
    app.router.add_get("/api/v1/events", _events(source))
    app.router.add_get("/api/v1/explain/{target:.+}", _explain(source))
    for name, control in (controls or {}).items():
        app.router.add_post(f"/control/{name}", _control(control))
    return app


Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _json(document: Any, status: int = 200) -> web.Response:
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/json")


def _probe(ask: Callable[[], tuple[bool, str]]) -> Answering:
    async def answer(_request: web.Request) -> web.Response:
        good, words = ask()
        return web.Response(text="ok\n" if good else f"{words}\n", status=200 if good else 503)

    return answer


def _metrics(source: StatusSource) -> Answering:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=source.metrics(), content_type="text/plain", charset="utf-8")

    return answer


def _page(source: StatusSource) -> Answering:
    async def answer(_request: web.Request) -> web.Response:
        names = ("status", "sessions", "vips", "events")
        page = render_page({name: source.document(name) for name in names})
        return web.Response(text=page, content_type="text/html")

    return answer


def _document(source: StatusSource, name: str) -> Answering:
    async def answer(_request: web.Request) -> web.Response:
        document = source.document(name)
        if document is None:
            return _json({"error": "no plan was made yet: the sources were not read"}, 503)
        return _json(document)

    return answer


def _explain(source: StatusSource) -> Answering:
    async def answer(request: web.Request) -> web.Response:
        target = request.match_info["target"]
        document = source.explain(target)
        if document is None:
            return _json({"error": f"no Service or VirtualIP has {target}"}, 404)
        return _json(document)

    return answer


def _events(source: StatusSource) -> Answering:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.query.get("follow") != "1":
            return _json(source.document("events"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            async for event in source.follow():
                await response.write(f"data: {json.dumps(event)}\n\n".encode())
        return response

    return answer


def _control(control: Control) -> Answering:
    async def answer(request: web.Request) -> web.Response:
        try:
            return _json(await control(request.query))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        except AdapterError as error:
            return _json({"error": str(error)}, 500)

    return answer


class HttpServer:
    """Serves an application on the Unix socket and, where wanted, on a TCP address."""

    def __init__(
        self,
        source: StatusSource,
        controls: Mapping[str, Control],
        unix_socket: Path,
        tcp: tuple[str, int] | None,
    ) -> None:
        self._source = source
        self._controls = controls
        self._unix_socket = unix_socket
        self._tcp = tcp
        self.tcp_error: str | None = None

    async def run(self) -> None:
        """Serve until cancelled; a TCP port that is taken is tried again and told once."""
        runners = [_runner(application(self._source, self._controls))]
        try:
            await self._serve_unix(runners[0])
            if self._tcp is not None:
                runners.append(_runner(application(self._source)))
                await self._serve_tcp(runners[1], *self._tcp)
            await asyncio.Event().wait()
        finally:
            for runner in runners:
                await runner.cleanup()

    async def _serve_unix(self, runner: web.AppRunner) -> None:
        _unlink(self._unix_socket)
        await runner.setup()
        await web.UnixSite(runner, str(self._unix_socket)).start()
        _share_with_group(self._unix_socket)

    async def _serve_tcp(self, runner: web.AppRunner, host: str, port: int) -> None:
        await runner.setup()
        while (words := await _listen(runner, host, port)) is not None:
            if self.tcp_error != words:
                LOG.error(words)
            self.tcp_error = words
            await asyncio.sleep(RETRY_S)
        self.tcp_error = None


async def _listen(runner: web.AppRunner, host: str, port: int) -> str | None:
    """Listen on TCP; return in words why that failed."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        return f"{host}:{port}: cannot listen: {error.strerror}; choose another --http"
    return None


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.2)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _share_with_group(path: Path) -> None:
    path.chmod(0o660)
