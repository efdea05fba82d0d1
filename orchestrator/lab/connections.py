"""Opens TCP connections to an HTTP server again and again, and writes down which of them failed.

`python -m orchestrator.lab.connections ADDRESS PORT INTERVAL_MS HELD TIMEOUT_MS` opens a new connection each interval, asks
once (`orchestrator.lab.web` answers) and closes it. HELD more stay open, and ask ten times a second on the one
connection. Until TERM; it writes the JSON line `{"ready": true}` once all held ones were answered, and one with what was seen
at the end. Moments are of the monotonic clock, which all nodes of a host share.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import signal
import socket
import struct
import sys
import time
from collections import Counter
from typing import Any

QUESTION = "GET / HTTP/1.1\r\nHost: vip\r\n{}\r\n"
ASK_HELD_EVERY_S = 0.1
TOTAL_RETRANS = struct.Struct("=100xI")
"""`tcpi_total_retrans` of `struct tcp_info` (linux/tcp.h)."""


class Connections:
    """The client: what it was told, and what it has seen so far."""

    def __init__(self, address: str, port: int, timeout_s: float) -> None:
        six = ipaddress.ip_address(address).version == 6
        self._family = socket.AF_INET6 if six else socket.AF_INET
        self._target = (address, port)
        self._timeout_s = timeout_s
        self._asking: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._by: Counter[str] = Counter()
        self._again = 0
        self._failed: list[dict[str, Any]] = []
        self._cut: list[dict[str, Any]] = []
        self._held: Counter[str] = Counter()
        self._broken: list[dict[str, Any]] = []

    async def new(self, interval_s: float) -> None:
        """Open a connection each interval, however long the ones before take."""
        due = time.monotonic()
        while True:
            task = asyncio.create_task(self._once(time.monotonic()))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            due = max(due + interval_s, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def _once(self, at: float) -> None:
        """Ask on a new connection; a reset of one that was open is told apart from all other failures."""
        self._sent += 1
        seen, opened = self._failed, False
        try:
            async with asyncio.timeout(self._timeout_s):
                with await self._connect() as sock:
                    opened = True
                    name = await ask(sock, "Connection: close\r\n")
                    self._by[name] += 1
                    self._again += _sent_again(sock)
        except OSError as error:  # TimeoutError is one
            if opened and not isinstance(error, TimeoutError):
                seen = self._cut
            seen.append({"at": at, "error": str(error) or "no answer in time"})

    async def _connect(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self._target)
        except BaseException:
            sock.close()
            raise
        return sock

    async def hold(self, ready: asyncio.Barrier) -> None:
        """Keep a connection and ask on it until it breaks."""
        with await self._connect() as sock:
            name = await ask(sock)
            self._held[name] += 1
            await ready.wait()
            try:
                while True:
                    await asyncio.sleep(ASK_HELD_EVERY_S)
                    async with asyncio.timeout(self._timeout_s):
                        await ask(sock)
            except OSError:
                self._broken.append({"at": time.monotonic(), "name": name})

    async def summary(self) -> dict[str, Any]:
        """Wait for what is asked, and return all that was seen."""
        if self._asking:
            await asyncio.wait(self._asking)
        return {
            "sent": self._sent,
            "by": dict(self._by),
            "again": self._again,
            "failed": self._failed,
            "cut": self._cut,
            "held": dict(self._held),
            "broken": self._broken,
        }


def _sent_again(sock: socket.socket) -> bool:
    """Tell whether a packet of ours was lost on the way and sent again."""
    found = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS.size)
    return bool(TOTAL_RETRANS.unpack(found)[0])


async def ask(sock: socket.socket, fields: str = "") -> str:
    """Ask on a connection and return the name of who answers; OSError when it is cut."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, QUESTION.format(fields).encode())
    answer = b""
    while b"\n" not in answer.partition(b"\r\n\r\n")[2]:
        received = await loop.sock_recv(sock, 4096)
        if not received:
            raise ConnectionResetError("closed before the answer")
        answer += received
    return answer.rpartition(b"\r\n\r\n")[2].decode("ascii", "replace").strip()


def tell(document: dict[str, Any]) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


async def run(client: Connections, interval_s: float, held: int) -> None:
    """Open connections until TERM, then say what was seen."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    ready = asyncio.Barrier(held + 1)
    tasks = [asyncio.create_task(client.hold(ready)) for _ in range(held)]
    await ready.wait()
    tell({"ready": True})
    tasks.append(asyncio.create_task(client.new(interval_s)))
    await stopping.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    tell(await client.summary())


def main() -> None:
    """Run with what the command line says."""
    address, port, interval_ms, held, timeout_ms = sys.argv[1:]
    client = Connections(address, int(port), float(timeout_ms) / 1000)
    asyncio.run(run(client, float(interval_ms) / 1000, int(held)))


if __name__ == "__main__":
    main()
