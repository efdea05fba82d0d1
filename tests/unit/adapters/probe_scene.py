"""What tests of probes share: servers on loopback, a limit, and waiting."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from orchestrator.adapters.probes import Prober
from orchestrator.health.actions import StartProbe
from orchestrator.model.virtual_ip import ExecProbe
from tests.fakes.closing_loop import run_and_close

LIMIT_S = 30.0
HOST = "127.0.0.1"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of loopback."""
    listening = await asyncio.start_server(answer, HOST, 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await listening.wait_closed()


def says(text: bytes) -> Answer:
    """Make a server that answers every request with `text`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):  # who asked has hung up
            await reader.readuntil(b"\r\n\r\n")
            writer.write(text)
            await writer.drain()
        writer.close()

    return answer


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario with a generous limit."""

    async def limited() -> Any:
        async with asyncio.timeout(LIMIT_S):
            return await scenario

    return run_and_close(limited())


async def eventually(condition: Callable[[], bool]) -> None:
    """Poll until `condition` holds; the limit of `run` bounds it."""
    for _ in range(int(LIMIT_S * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def written(file: Path) -> bool:
    """Tell whether a command has written its process number."""
    return file.exists() and file.read_text() != ""


def number_in(file: Path) -> int:
    """Read a process number that a command wrote."""
    return int(file.read_text())


async def gone(file: Path) -> None:
    """Wait until the process whose number is in `file` runs no more."""
    pid = number_in(file)
    await eventually(lambda: not alive(pid))


HANG = "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! > {0}/grandchild; echo $$ > {0}/child; sleep 1000"


async def result_of(probe: ExecProbe, timeout_s: float) -> tuple[bool, str]:
    """Perform a probe through a Prober."""
    results: list[tuple[bool, str]] = []
    prober = Prober(lambda *result: results.append(result[2:]))
    running = asyncio.ensure_future(prober.run())
    await asyncio.sleep(0)
    prober.start(StartProbe("a", 1, probe, timeout_s))
    await eventually(lambda: bool(results))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return results[0]
