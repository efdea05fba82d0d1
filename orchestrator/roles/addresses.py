"""The addresses role: puts VIPs on interfaces before they are announced, takes them off after.

It is told by the speaker, which alone knows when a withdraw has reached the peers.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Awaitable, Mapping

import msgspec

from orchestrator.adapters.addresses_link import Answer, Wish
from orchestrator.adapters.binding import Bindings
from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop
from orchestrator.adapters.state_files import make_directory
from orchestrator.adapters.unix_server import serve_unix
from orchestrator.model.address import IPAddress
from orchestrator.settings import Settings

LOG = logging.getLogger(__name__)


class Addresses:
    """Serves one wish after the other; `run` ends after TERM."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bindings = Bindings(settings.runtime_dir / "bound.json")
        self._errors: dict[IPAddress, str] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Serve until TERM, then unbind what is ours unless routes are held over the stop."""
        make_directory(self._settings.runtime_dir)
        lock = RoleLock(self._settings.runtime_dir, "addresses")
        lock.acquire()
        stop = Stop.on_signals()
        async with serve_unix(self._settings.addresses_socket, self._converse):
            await stop.requested()
        if self._settings.on_stop == "withdraw":
            await self._apply({})
        lock.release()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            left = Answer(bound=dict(self._bindings.ours), errors={})
            writer.write(msgspec.json.encode(left) + b"\n")
            while line := await reader.readline():
                wish = msgspec.json.decode(line, type=Wish).want
                answer = await self._apply(
                    {ipaddress.ip_address(text): name for text, name in wish.items()}
                )
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        writer.close()

    async def _apply(self, wish: Mapping[IPAddress, str]) -> Answer:
        """Make the kernel's addresses what `wish` says, as far as they are ours."""
        async with self._turn:
            for text, interface in self._bindings.ours.items():
                address = ipaddress.ip_address(text)
                if wish.get(address) != interface:
                    await self._unbind(address, interface)
            errors = {}
            for address, interface in wish.items():
                if words := await self._bind(address, interface):
                    errors[address] = words
            self._errors = errors
            return Answer(
                bound={str(a): name for a, name in wish.items() if a not in errors},
                errors={str(address): words for address, words in errors.items()},
            )

    async def _bind(self, address: IPAddress, interface: str) -> str | None:
        known = str(address) in self._bindings.ours
        words = await self._attempt(self._bindings.bind(address, interface))
        fields = {"vip": str(address), "interface": interface}
        if words and self._errors.get(address) != words:
            LOG.error("cannot bind: %s", words, extra=fields)
        elif not words and not known and str(address) in self._bindings.ours:
            LOG.info("bound", extra=fields)
        return words

    async def _unbind(self, address: IPAddress, interface: str) -> None:
        words = await self._attempt(self._bindings.unbind(address))
        fields = {"vip": str(address), "interface": interface}
        if words:
            LOG.error("cannot unbind: %s", words, extra=fields)
        else:
            LOG.info("unbound", extra=fields)

    @staticmethod
    async def _attempt(change: Awaitable[str | None]) -> str | None:
        try:
            return await change
        except AdapterError as error:
            return str(error)
