"""The speaker's line to the addresses role: wanted bindings out, what is bound back.

One JSON object a line. To the role: `{"want": {ADDRESS: INTERFACE}}`. From it, once at the start
and after each wish: `{"bound": {ADDRESS: INTERFACE}, "errors": {ADDRESS: WORDS}}`. A speaker that
goes away changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from orchestrator.adapters.unix_server import MAX_LINE
from orchestrator.model.address import IPAddress

RETRY_S = 0.5
"""Pause between attempts to reach the role."""
REPEAT_S = 5.0
"""The wish is repeated this often, so that an address removed by hand comes back."""


class Wish(msgspec.Struct):
    """What is to be bound: interface by address."""

    want: dict[str, str]


class Answer(msgspec.Struct):
    """What is bound now: interface by address; and what could not be, in words."""

    bound: dict[str, str]
    errors: dict[str, str]


class AddressesLink:
    """Keeps the addresses role told of what should be bound, and knows what is.

    `bound` is None until the role has said what a predecessor of ours left bound.
    """

    def __init__(self, socket: Path, on_change: Callable[[], None]) -> None:
        self._socket = socket
        self._on_change = on_change
        self._want: dict[IPAddress, str] | None = None
        self._dirty = asyncio.Event()
        self.bound: Mapping[IPAddress, str] | None = None
        self.errors: Mapping[IPAddress, str] = {}
        self.reachable = False

    def want(self, bindings: Mapping[IPAddress, str]) -> None:
        """Say what is to be bound from now on: everything else that is ours comes off."""
        if self._want != bindings:
            self._want = dict(bindings)
            self._dirty.set()

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
                await self._converse()
            self._note(reachable=False)
            await asyncio.sleep(RETRY_S)

    async def _converse(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=MAX_LINE)
        try:
            self._take(msgspec.json.decode(await reader.readline(), type=Answer))
            self._dirty.set()
            while True:
                await self._wait_for_wish()
                if self._want is None:
                    continue
                wish = {str(address): name for address, name in self._want.items()}
                writer.write(msgspec.json.encode(Wish(wish)) + b"\n")
                await writer.drain()
                answer = await reader.readline()
                if not answer:
                    return
                self._take(msgspec.json.decode(answer, type=Answer))
        finally:
            writer.close()

    async def _wait_for_wish(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._dirty.wait(), REPEAT_S)
        self._dirty.clear()

    def _take(self, answer: Answer) -> None:
        self._note(
            bound={ipaddress.ip_address(text): name for text, name in answer.bound.items()},
            errors={ipaddress.ip_address(text): words for text, words in answer.errors.items()},
        )

    def _note(
        self,
        *,
        reachable: bool = True,
        bound: Mapping[IPAddress, str] | None = None,
        errors: Mapping[IPAddress, str] | None = None,
    ) -> None:
        # While the role is away its addresses stay where they are: what was bound still is.
        before = (self.reachable, self.bound, self.errors)
        self.reachable = reachable
        self.bound = self.bound if bound is None else bound
        self.errors = self.errors if errors is None else errors
        if before != (self.reachable, self.bound, self.errors):
            self._on_change()
