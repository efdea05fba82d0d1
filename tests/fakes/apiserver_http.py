"""The model of the API server behind HTTP on loopback, with what networks and servers do to clients."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.apiserver import Answer, FakeApiServer, FakeWatch, refusal

HOST = "127.0.0.1"
TOKEN = "first"
LOOK_S = 0.01


class FakeApiServerHttp:
    """Serves a model; what it is told to do wrong it does to every request from then on."""

    def __init__(self, model: FakeApiServer) -> None:
        self.model = model
        self.port = 0
        self.token = TOKEN
        self.refusing: tuple[int, dict[str, str]] | None = None
        self.silent = False
        self.byte_by_byte = False
        self.seen: deque[tuple[str, str, str]] = deque(maxlen=10_000)
        """Method, path and token of each request."""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port, or again on the one it had."""
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
        if self.silent:
            await asyncio.sleep(3600)
        if self.refusing is not None:
            status, headers = self.refusing
            return _response(refusal(status, "Refused", "not now"), headers)
        if token != self.token:
            return _response(refusal(401, "Unauthorized", "Unauthorized"), {})
        if request.query.get("watch"):
            found = self.model.open_watch(request.path, request.query)
            if isinstance(found, FakeWatch):
                return await self._stream(request, found)
            return _response(found, {})
        body = await request.json() if request.can_read_body else None
        return _response(self._do(request, body), {})

    def _do(self, request: web.Request, body: Any) -> Answer:
        if request.method == "GET":
            return self.model.answer_list(request.path, request.query)
        del body
        return refusal(405, "MethodNotAllowed", "the model does not know how")

    async def _stream(self, request: web.Request, watch: FakeWatch) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while not (watch.over and not watch.lines):
                text, watch.lines[:] = b"".join(watch.lines), []
                for piece in _pieces(text, small=self.byte_by_byte):
                    await response.write(piece)
                await asyncio.sleep(LOOK_S)
        except (ConnectionError, asyncio.CancelledError):
            watch.over = True
            raise
        return response


def _pieces(text: bytes, *, small: bool) -> list[bytes]:
    if small:
        return [text[at : at + 1] for at in range(len(text))]
    return [text] if text else []


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
