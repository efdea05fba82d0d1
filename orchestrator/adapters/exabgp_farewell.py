"""Withdraws everything through the relay before ExaBGP is stopped."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from orchestrator.adapters.relay import EXCLUSIVE
from orchestrator.bgp.farewell import Farewell

READ_SIZE = 1 << 18
CONNECT_RETRY_S = 0.05

LOG = logging.getLogger(__name__)


async def withdraw_all(relay_socket: Path) -> bool:
    """Take over from the speaker and withdraw every route; False when that is not known to be so.

    Gives up after 1 s and the time that so many routes may take (DESIGN 12, P3).
    """
    farewell = Farewell()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    talk = asyncio.create_task(_talk(relay_socket, farewell))
    while not talk.done() and loop.time() < begun + farewell.limit_s:
        await asyncio.wait({talk}, timeout=CONNECT_RETRY_S)
    talk.cancel()
    await asyncio.wait({talk})
    if not farewell.done:
        LOG.warning("not every route is known to be withdrawn", extra={"left": farewell.left})
    return farewell.done


async def _talk(relay_socket: Path, farewell: Farewell) -> None:
    reader, writer = await _connect(relay_socket)
    try:
        _write(writer, [EXCLUSIVE.decode("ascii"), *farewell.start()])
        while not farewell.done and (data := await reader.read(READ_SIZE)):
            _write(writer, farewell.receive(data))
    finally:
        writer.transport.abort()


async def _connect(relay_socket: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_unix_connection(str(relay_socket))
        except OSError:
            await asyncio.sleep(CONNECT_RETRY_S)


def _write(writer: asyncio.StreamWriter, lines: list[str]) -> None:
    writer.write("".join(f"{line}\n" for line in lines).encode("ascii"))
