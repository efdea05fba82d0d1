"""The speaker's line to the layer2 role: what should be out, what is and what happened back.

A speaker that goes away changes nothing: the role keeps to what it was told last.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import msgspec

from orchestrator.adapters.layer2_routers import router_document
from orchestrator.adapters.layer2_wire import (
    VERSION,
    Greeting,
    Happened,
    News,
    Surroundings,
    Update,
    line,
    pieces,
    surroundings,
    wire_wishes,
)
from orchestrator.adapters.unix_server import MAX_LINE
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.layer2_report import Layer2Report, OwnerReport
from orchestrator.model.settings import Settings
from orchestrator.model.virtual_router import VirtualRouter

LOG = logging.getLogger(__name__)
RETRY_S = 0.2
"""Pause between attempts to reach the role."""
REPEAT_S = 10.0
"""How often the surroundings are sent when nothing changed: the role knows that it has a speaker."""


@dataclass(frozen=True, slots=True)
class Layer2Wish:
    """All that the role is told."""

    desired: Desired
    settings: Settings
    routers: tuple[VirtualRouter, ...] = ()
    health: Mapping[str, bool | None] | None = None

    def surroundings(self) -> Surroundings:
        """Put down everything but wishes and routers."""
        settings = self.settings
        return surroundings(
            self.desired, settings.membership, settings.excluded_interfaces, self.health or {}
        )


class Layer2Link:
    """Keeps the role told of what should be, and knows what is.

    `report` stays while the role is away: what it answered for, it may answer for still.
    """

    def __init__(
        self,
        socket: Path,
        on_change: Callable[[], None],
        on_events: Callable[[Sequence[Happened]], None],
    ) -> None:
        self._socket = socket
        self._on_change = on_change
        self._on_events = on_events
        self._want: Layer2Wish | None = None
        self._sent: Layer2Wish | None = None
        self._dirty = asyncio.Event()
        self._owners: dict[tuple[IPAddress, str], OwnerReport] = {}
        self._changed = False
        self.report = Layer2Report()
        self.reachable = False

    def want(self, wish: Layer2Wish) -> None:
        """Say what should be from now on."""
        if wish != self._want:
            self._want = wish
            self._dirty.set()

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError, EOFError):
                await self._converse()
            self._reach(reachable=False)
            await asyncio.sleep(RETRY_S)

    async def _converse(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=MAX_LINE)
        self._sent = None
        self._dirty.set()
        telling = asyncio.ensure_future(self._tell(writer))
        try:
            while text := await reader.readline():
                self._take(text)
        finally:
            telling.cancel()
            writer.close()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_S):  # not wait_for, as in addresses_link
                    await self._dirty.wait()
            self._dirty.clear()
            wish = self._want
            if wish is None:
                continue
            for update in updates(self._sent, wish):
                writer.write(line(update))
                await writer.drain()
            self._sent = wish

    def _take(self, text: bytes) -> None:
        version = msgspec.json.decode(text, type=Greeting).version
        if version != VERSION:
            LOG.error("layer2 speaks version %d, not %d: restart it", version, VERSION)
            raise EOFError
        news = msgspec.json.decode(text, type=News)
        if news.reset:
            self._owners.clear()
        for item in news.owners:
            self._owners[ipaddress.ip_address(item.address), item.owner.interface] = item.owner
        for interface, address in news.gone:
            self._owners.pop((ipaddress.ip_address(address), interface), None)
        self._changed |= bool(news.reset or news.owners or news.gone or news.events)
        if not news.more:
            self._settle(news)

    def _settle(self, news: News) -> None:
        overview = news.overview
        if overview is not None:
            self.report = Layer2Report(
                overview.segments,
                self._by_address(),
                overview.routers,
                overview.refused,
                overview.failovers,
                overview.step_backs,
                overview.lateness,
                overview.limits,
            )
        self._on_events(news.events)
        self._reach(reachable=True)
        if self._changed:
            self._changed = False
            self._on_change()

    def _by_address(self) -> dict[IPAddress, tuple[OwnerReport, ...]]:
        found: dict[IPAddress, tuple[OwnerReport, ...]] = {}
        for (address, _), owner in sorted(self._owners.items(), key=lambda item: item[0][1]):
            found[address] = (*found.get(address, ()), owner)
        return found

    def _reach(self, *, reachable: bool) -> None:
        if self.reachable != reachable:
            self.reachable = reachable
            self._on_change()


def updates(sent: Layer2Wish | None, wish: Layer2Wish) -> Iterator[Update]:
    """Yield what tells one who was told `sent` what should be now; the last has `more` false."""
    before = {} if sent is None else {one.address: one for one in sent.desired.wishes}
    after = {one.address: one for one in wish.desired.wishes}
    gone = [str(address) for address in before.keys() - after.keys()]
    changed = [one for address, one in after.items() if before.get(address) is not one]
    first = Update(reset=sent is None, more=True, surroundings=wish.surroundings())
    if sent is None or sent.routers != wish.routers:
        first.routers = list(map(router_document, wish.routers))
    yield first
    yield from _of_wishes(changed, before, gone)
    yield Update()


def _of_wishes(
    changed: Sequence[Wish], before: Mapping[IPAddress, Wish], gone: Sequence[str]
) -> Iterator[Update]:
    really = (wish for wish in changed if before.get(wish.address) != wish)
    for wishes, names in zip_longest(pieces(really), pieces(gone), fillvalue=()):
        nodes, found = wire_wishes(wishes)
        yield Update(more=True, names=nodes, wishes=found, gone=list(names))
