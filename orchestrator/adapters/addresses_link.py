"""A line to the addresses role: wanted bindings out, what is bound back.

One JSON object a line. To the role a `Wish`: `{"from": "speaker", "want": {ADDRESS: INTERFACE}}`,
where ADDRESS may have a prefix length, and what else layer 2 needs. From it an `Answer`, once at
the start, with what the speaker has bound, and after each wish, with what was wished:
`{"bound": {ADDRESS: INTERFACE}, "errors": {ADDRESS: WORDS}, "problems": [WORDS]}`. Speaker and
layer 2 wish each for itself; one that goes away changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from orchestrator.adapters.unix_server import MAX_LINE
from orchestrator.layer2.routers.binding import Macvlan
from orchestrator.model.address import IPAddress

RETRY_S = 0.5
"""Pause between attempts to reach the role."""
REPEAT_S = 5.0
"""The wish is repeated this often, so that an address removed by hand comes back."""
Sender = Literal["speaker", "layer2"]
SENDERS: tuple[Sender, ...] = ("speaker", "layer2")


class MacvlanWish(msgspec.Struct):
    """A macvlan on `parent` with the hardware address `mac`, up or down."""

    parent: str
    mac: str
    up: bool


class Wish(msgspec.Struct):
    """What is to be there for `sender`: interface by address, and macvlans by name.

    `quiet_arp`: while an address is on `lo`, the kernel is to answer no ARP for it.
    """

    want: dict[str, str]
    sender: Sender = msgspec.field(name="from", default="speaker")
    macvlans: dict[str, MacvlanWish] = {}
    quiet_arp: bool = False


class Answer(msgspec.Struct):
    """What is bound now: interface by address; and what could not be done, in words."""

    bound: dict[str, str]
    errors: dict[str, str]
    problems: list[str] = []


class AddressesLink:
    """Keeps the addresses role told of what should be bound, and knows what is.

    `bound` is None until the role has said what a predecessor of ours left bound.
    """

    def __init__(
        self, socket: Path, on_change: Callable[[], None], sender: Sender = "speaker"
    ) -> None:
        self._socket = socket
        self._on_change = on_change
        self._sender: Sender = sender
        self._want: Wish | None = None
        self._dirty = asyncio.Event()
        self.bound: Mapping[IPAddress, str] | None = None
        self.errors: Mapping[IPAddress, str] = {}
        self.problems: tuple[str, ...] = ()
        self.reachable = False

    def want(
        self,
        bindings: Mapping[IPAddress, str],
        macvlans: Iterable[Macvlan] = (),
        *,
        quiet_arp: bool = False,
    ) -> None:
        """Say what is to be there from now on: everything else that is ours goes.

        An address with a prefix length (`Interface`) is bound with it, another one alone.
        `quiet_arp` is for addresses that layer 2 answers for itself.
        """
        wish = Wish(
            {str(address): name for address, name in bindings.items()},
            self._sender,
            {one.name: MacvlanWish(one.parent, str(one.mac), one.up) for one in macvlans},
            quiet_arp=quiet_arp,
        )
        if self._want != wish:
            self._want = wish
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
            left = msgspec.json.decode(await reader.readline(), type=Answer)
            if self._sender == "speaker":
                self._take(left)
            self._dirty.set()
            while True:
                await self._wait_for_wish()
                if self._want is None:
                    continue
                writer.write(msgspec.json.encode(self._want) + b"\n")
                await writer.drain()
                answer = await reader.readline()
                if not answer:
                    return
                self._take(msgspec.json.decode(answer, type=Answer))
        finally:
            writer.close()

    async def _wait_for_wish(self) -> None:
        with contextlib.suppress(TimeoutError):
            # Not wait_for: of a cancellation in the moment of a change it would lose one.
            async with asyncio.timeout(REPEAT_S):
                await self._dirty.wait()
        self._dirty.clear()

    def _take(self, answer: Answer) -> None:
        self.problems = tuple(answer.problems)
        self._note(
            bound={_address(text): name for text, name in answer.bound.items()},
            errors={_address(text): words for text, words in answer.errors.items()},
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


def _address(text: str) -> IPAddress:
    """Read an address as it was wished: one with a prefix length keeps it."""
    return ipaddress.ip_interface(text) if "/" in text else ipaddress.ip_address(text)
