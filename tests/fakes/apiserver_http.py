"""The model of the API server behind HTTP on loopback, with what networks and servers do to clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from tests.fakes.apiserver import Answer, FakeApiServer, FakeWatch, refusal

HOST = "127.0.0.1"
TOKEN = "first"
LOOK_S = 0.01
HEALTH = ("/livez", "/readyz")


class Written(NamedTuple):
    """A write that reached the model, and the status it was or would have been answered with."""

    method: str
    path: str
    body: Any
    status: int


class FakeApiServerHttp:
    """Serves a model; what it is told to do wrong it does to every request from then on.

    `delay_s`: how long every answer is held back. `die_after`: so many more writes are done; the last of
    them is not answered, and from then on every connection is dropped until this is None again.
    `witness` is asked when a write comes (False) and when it is done (True): where it says no, the
    write is not done, or not answered, and the connection is dropped.
    """

    def __init__(self, model: FakeApiServer) -> None:
        self.model = model
        self.port = 0
        self.token = TOKEN
        self.refusing: tuple[int, dict[str, str]] | None = None
        self.refused_path = ""
        """Part of the paths that `refusing` is about; empty for all."""
        self._answering = asyncio.Event()
        self._answering.set()
        self.byte_by_byte = False
        self.delay_s = 0.0
        self.die_after: int | None = None
        self.on_request: Callable[[], None] = lambda: None
        self.witness: Callable[[bool], bool] = lambda _done: True
        self.writes: list[Written] = []
        """Every write in order, those that were refused too."""
        self.seen: deque[tuple[str, str, str]] = deque(maxlen=10_000)
        """Method, path and token of each request."""
        self._runner: web.AppRunner | None = None

    def fall_silent(self) -> None:
        """Take connections and requests and say nothing, as one that is paused (in its loop)."""
        self._answering.clear()

    def go_on(self) -> None:
        """Answer all that came while it was silent (in its loop)."""
        self._answering.set()

    async def start(self) -> None:
        """Listen on a free port, or again on the one it had; nothing when it does."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening, and break every connection."""
        self.model.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for it."""
        cluster = {"server": f"http://{HOST}:{self.port}"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": self.token}}],
            "contexts": [{"name": "it", "context": {"cluster": "fake", "user": "me"}}],
            "current-context": "it",
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.seen.append((request.method, request.path, token))
        self.on_request()
        await self._answering.wait()
        if self._is_dead():
            return _drop(request)
        if self.refusing is not None and self.refused_path in request.path:
            status, headers = self.refusing
            return _response(refusal(status, "Refused", "not now"), headers)
        if token != self.token:
            return _response(refusal(401, "Unauthorized", "Unauthorized"), {})
        return await self._obey(request)

    async def _obey(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch"):
            return await self._watch(request)
        if request.path in HEALTH:
            return web.Response(text="ok")
        body = await request.json() if request.can_read_body else None
        reads = request.method == "GET"
        if not (reads or self.witness(False)):
            return _drop(request)
        answer = self._do(request, body)
        if self._is_dead():
            self.model.cut()
            return _drop(request)
        if not (reads or self.witness(True)):
            return _drop(request)
        await asyncio.sleep(self.delay_s)
        return _response(answer, {})

    def _is_dead(self) -> bool:
        return self.die_after is not None and self.die_after <= 0

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        found = self.model.open_watch(request.path, request.query)
        await asyncio.sleep(self.delay_s)
        if isinstance(found, FakeWatch):
            return await self._stream(request, found)
        return _response(found, {})

    def _do(self, request: web.Request, body: Any) -> Answer:
        method, path = request.method, request.path
        answer = self.model.answer(method, path, request.query, body, request.content_type)
        if method != "GET":
            self.writes.append(Written(method, path, body, answer.status))
            if self.die_after is not None and answer.status < 300:
                self.die_after -= 1
        return answer

    async def _stream(self, request: web.Request, watch: FakeWatch) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        end = loop.time() + float(request.query.get("timeoutSeconds", "inf"))
        with contextlib.suppress(ConnectionError):
            while not (watch.over and not watch.lines) and loop.time() < end:
                await self._answering.wait()
                text, watch.lines[:] = b"".join(watch.lines), []
                for piece in _pieces(text, small=self.byte_by_byte):
                    await response.write(piece)
                await asyncio.sleep(LOOK_S)
        watch.over = True
        return response


def _pieces(text: bytes, *, small: bool) -> list[bytes]:
    if small:
        return [text[at : at + 1] for at in range(len(text))]
    return [text] if text else []


def _drop(request: web.Request) -> web.Response:
    """Break the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _response(answer: Answer, headers: dict[str, str]) -> web.Response:
    body = json.dumps(answer.document)
    return web.Response(
        status=answer.status, text=body, content_type="application/json", headers=headers
    )


@asynccontextmanager
async def serving(model: FakeApiServer) -> AsyncIterator[FakeApiServerHttp]:
    """Serve while the block lasts."""
    server = FakeApiServerHttp(model)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
