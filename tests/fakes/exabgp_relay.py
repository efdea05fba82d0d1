"""The model of ExaBGP behind a relay's socket, in a thread of its own; its routers always agree to sessions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.fakes.exabgp import FakeExaBGP
from tests.simulation.relay import RelayModel

TURN_S = 0.005
LIMIT_S = 30.0
Wire = dict[str, frozenset[str]]
"""Prefixes that the router of each neighbor holds."""


class ServedExaBGP:
    """ExaBGP for the speaker of one runtime directory, up while the `with` block lasts.

    `witness` is asked when a line comes (False) and when it is done (True): where it says no, the
    line is not done, or not answered, and the connection ends. `wires` is what the routers held, after
    each change of it.
    """

    def __init__(self, runtime_dir: Path) -> None:
        self.witness: Callable[[bool], bool] = lambda _done: True
        self.wires: list[Wire] = []
        self._directory = runtime_dir
        self._fake = FakeExaBGP()
        self._relay = RelayModel()
        self._client: asyncio.StreamWriter | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._listening = threading.Event()
        self._end = asyncio.Event()

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        assert self._listening.wait(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(LIMIT_S)
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_unix_server(self._accept, str(self._directory / "exabgp.sock"))
        self._listening.set()
        turning = asyncio.ensure_future(self._turn_on())
        await self._end.wait()
        turning.cancel()
        server.close()
        self._hang_up()

    async def _turn_on(self) -> None:
        while True:
            self._settle()
            self._pass_on()
            await asyncio.sleep(TURN_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._hang_up()
        self._client = writer
        self._relay.accept()
        while line := await reader.readline():
            if self._client is not writer or not self._take(line):
                break
        if self._client is writer:
            self._hang_up()

    def _take(self, line: bytes) -> bool:
        """Do a line; False when who sent it lives no more."""
        if not line.endswith(b"\n") or not self.witness(False):
            return False
        self._relay.from_client(line)
        self._settle()
        if not self.witness(True):
            return False
        self._pass_on()
        return True

    def _settle(self) -> None:
        """Let ExaBGP do what there is to do, and its sessions come up."""
        while self._relay.to_exabgp:
            self._fake.write(self._relay.to_exabgp.popleft())
        file = self._directory / "exabgp.conf"
        self._fake.file = file.read_text("ascii") if file.exists() else ""
        while self._fake.turn():
            self._note()
        for peer in list(self._fake.peers.values()):
            self._fake.session_up(peer.address)
        self._relay.from_exabgp(self._fake.read())

    def _note(self) -> None:
        peers = self._fake.peers
        wire = {address: frozenset(peer.wire) for address, peer in peers.items()}
        if wire != (self.wires[-1] if self.wires else {}):
            self.wires.append(wire)

    def _pass_on(self) -> None:
        if self._client is not None and self._relay.to_client:
            self._client.write(bytes(self._relay.to_client))
            self._relay.to_client.clear()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.transport.abort()
            self._client = None
            self._relay.hang_up()
