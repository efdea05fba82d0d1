"""A proxy before an API server, in a thread of its own, that sees each write when it comes and when it is done."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web

from tests.fakes.apiserver_http import HOST
from tests.fakes.closing_loop import ClosingLoop

LIMIT_S = 30.0
_PASSED_ON = ("Authorization", "Content-Type", "Accept")


class ApiServerProxy:
    """Passes requests on to the server of a kubeconfig, up while the `with` block lasts.

    `kubeconfig` leads to it. `witness` is as that of the served model.
    """

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        self.kubeconfig = directory / "kubeconfig"
        self.witness: Callable[[bool], bool] = lambda _done: True
        self._document = yaml.safe_load(kubeconfig.read_text("utf-8"))
        self._loop = ClosingLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        port = self._run(self._start())
        document = json.loads(json.dumps(self._document))
        document["clusters"][0]["cluster"] = {"server": f"http://{HOST}:{port}"}
        self.kubeconfig.write_text(json.dumps(document), encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    async def _start(self) -> int:
        authority = self._document["clusters"][0]["cluster"]["certificate-authority-data"]
        trusted = ssl.create_default_context(cadata=_decoded(authority))
        connector = aiohttp.TCPConnector(ssl=trusted, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        assert self._session is not None
        assert self._runner is not None
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()
        await self._loop.closed()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        reads = request.method == "GET"
        if not (reads or self.witness(False)):
            return _drop(request)
        url = self._document["clusters"][0]["cluster"]["server"] + str(request.rel_url)
        headers = {key: request.headers[key] for key in _PASSED_ON if key in request.headers}
        body = await request.read()
        async with self._session.request(
            request.method, url, data=body, headers=headers, timeout=aiohttp.ClientTimeout(None)
        ) as answer:
            if reads:
                return await _stream(request, answer)
            text = await answer.read()
            if not self.witness(True):
                return _drop(request)
            return web.Response(status=answer.status, body=text, headers=_head(answer))


def _decoded(coded: str) -> str:
    return base64.b64decode(coded).decode("ascii")


def _head(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {"Content-Type": answer.headers.get("Content-Type", "application/json")}


async def _stream(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass on what comes as it comes."""
    response = web.StreamResponse(status=answer.status, headers=_head(answer))
    await response.prepare(request)
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        async for piece in answer.content.iter_any():
            await response.write(piece)
    return response


def _drop(request: web.Request) -> web.Response:
    """Break the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
