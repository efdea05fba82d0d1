"""Opens TCP connections to an HTTP server again and again, and writes down which of them failed.

`python -m orchestrator.lab.connections ADDRESS PORT INTERVAL_MS HELD TIMEOUT_MS` opens a new connection each interval, asks
once (`orchestrator.lab.web` answers) and closes it. HELD more stay open, and ask ten times a second on the one
connection. Until TERM; it writes the JSON line `{"ready": true}` once all held ones were answered, and one with what was seen
at the end. Moments are of the monotonic clock, which all nodes of a host share.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import secrets
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

QUESTION = "GET / HTTP/1.1\r\nHost: vip\r\n{}\r\n"
ASK_HELD_EVERY_S = 0.1
PORTS = range(10_000, 65_000)
TOTAL_RETRANS = struct.Struct("=100xI")
"""`tcpi_total_retrans` of `struct tcp_info` (linux/tcp.h)."""


class Connections:
    """The client: what it was told, and what it has seen so far."""

    def __init__(self, address: str, port: int, timeout_s: float) -> None:
        six = ipaddress.ip_address(address).version == 6
        self._family = socket.AF_INET6 if six else socket.AF_INET
        self._target = (address, port)
        self._timeout_s = timeout_s
        self._port = PORTS.start + secrets.randbelow(len(PORTS))
        self.ending = asyncio.Event()
        self._asking: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._by: Counter[str] = Counter()
        self._again: list[float] = []
        self._failed: list[dict[str, Any]] = []
        self._cut: list[dict[str, Any]] = []
        self._held: Counter[str] = Counter()
        self._broken: list[dict[str, Any]] = []

    async def new(self, interval_s: float) -> None:
        """Open a connection each interval, however long the ones before take."""
        due = time.monotonic()
        while not self.ending.is_set():
            self._start(self._once(time.monotonic()))
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
                    if _sent_again(sock):
                        self._again.append(at)
                    name = await ask(sock, "Connection: close\r\n")
                    self._by[name] += 1
        except OSError as error:  # TimeoutError is one
            if opened and not isinstance(error, TimeoutError):
                seen = self._cut
            seen.append({"at": at, "error": str(error) or "no answer in time"})

    async def _connect(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            self._bind(sock)
            await asyncio.get_running_loop().sock_connect(sock, self._target)
        except BaseException:
            sock.close()
            raise
        return sock

    def _bind(self, sock: socket.socket) -> None:
        """Take a port that was not used before.

        A node that remembers a connection of this port, which ended elsewhere, would drop the first packet.
        """
        for _ in PORTS:
            self._port = PORTS.start + (self._port + 1 - PORTS.start) % len(PORTS)
            with contextlib.suppress(OSError):  # somebody has it
                sock.bind(("", self._port))
                return
        raise OSError("every port of this host is in use")

    async def keep(self) -> None:
        """Open a connection that stays and have an answer on it; OSError when there is none."""
        sock = await self._connect()
        async with asyncio.timeout(self._timeout_s):
            name = await ask(sock)
        self._held[name] += 1
        self._start(self._go_on(sock, name))

    def _start(self, asking: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _go_on(self, sock: socket.socket, name: str) -> None:
        """Ask on a kept connection until it breaks; a last time at the end, to know whether it lives."""
        ended = False
        with sock:
            try:
                while not ended:
                    await asyncio.sleep(ASK_HELD_EVERY_S)
                    ended = self.ending.is_set()
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
    """Tell whether the connection was not opened by the first packet, which was lost on the way."""
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
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, client.ending.set)
    for _ in range(held):
        await client.keep()
    tell({"ready": True})
    await client.new(interval_s)
    tell(await client.summary())


def main() -> None:
    """Run with what the command line says."""
    address, port, interval_ms, held, timeout_ms = sys.argv[1:]
    client = Connections(address, int(port), float(timeout_ms) / 1000)
    asyncio.run(run(client, float(interval_ms) / 1000, int(held)))


if __name__ == "__main__":
    main()
