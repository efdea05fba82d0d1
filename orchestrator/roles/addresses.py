"""The addresses role: puts VIPs on interfaces before they are announced, takes them off after.

It is told by the speaker, which alone knows when a withdraw has reached the peers, and by layer 2.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.adapters.addresses_link import SENDERS, Answer, Wish
from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kernel.arp_settings import ArpSettings
from orchestrator.adapters.kernel.binding import SPEAKER, Binding, Bindings
from orchestrator.adapters.kernel.macvlan import Macvlans
from orchestrator.adapters.locks import RoleLock
from orchestrator.adapters.signals import Stop
from orchestrator.adapters.state_files import make_directory
from orchestrator.adapters.unix_server import serve_unix
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.routers.binding import Macvlan
from orchestrator.settings import Settings

LOG = logging.getLogger(__name__)
LOOPBACK = "lo"
MOST_LINES = 16
"""Changes of one wish that are logged one by one."""


class Addresses:
    """Serves one wish after the other; `run` ends after TERM."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bindings = Bindings(settings.runtime_dir / "bound.json")
        self._macvlans = Macvlans(settings.runtime_dir / "macvlans.json")
        self._arp = ArpSettings(settings.runtime_dir / "arp.json")
        self._quiet: dict[str, bool] = {}
        self._loopback: dict[str, bool] = {}
        self._said: dict[str, set[str]] = {}
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
            for sender in SENDERS:
                await self._apply(Wish({}, sender))
        lock.release()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            left = {_text(one): one.interface for one in self._bindings.ours(SPEAKER)}
            writer.write(msgspec.json.encode(Answer(left, {})) + b"\n")
            while line := await reader.readline():
                answer = await self._apply(msgspec.json.decode(line, type=Wish))
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        writer.close()

    async def _apply(self, wish: Wish) -> Answer:
        """Make the kernel's addresses and macvlans what `wish` says, as far as they are ours."""
        async with self._turn:
            problems = await self._have_macvlans(wish)
            wanted = {
                text: Binding(ipaddress.ip_interface(text), name)
                for text, name in wish.want.items()
            }
            self._loopback[wish.sender] = LOOPBACK in wish.want.values()
            self._quiet[wish.sender] = wish.quiet_arp
            problems += self._settle_arp(before=True)
            errors = self._bind(wish.sender, wanted)
            problems += self._settle_arp(before=False)
            self._report(wish.sender, {*problems, *errors.values()})
        bound = {text: name for text, name in wish.want.items() if text not in errors}
        return Answer(bound, errors, problems)

    async def _have_macvlans(self, wish: Wish) -> list[str]:
        if wish.sender == SPEAKER:
            return []
        wanted = [
            Macvlan(name, one.parent, MAC(bytes.fromhex(one.mac.replace(":", ""))), one.up)
            for name, one in wish.macvlans.items()
        ]
        try:
            return await self._macvlans.apply(wanted)
        except AdapterError as error:
            return [str(error)]

    def _settle_arp(self, *, before: bool) -> list[str]:
        """Quiet the kernel before addresses come, let it speak when the last has gone (DESIGN 8.3)."""
        used = any(self._loopback.values()) or LOOPBACK in self._bindings.interfaces
        try:
            if before and used and any(self._quiet.values()):
                self._arp.quiet()
            elif not before and not used:
                self._arp.restore()
        except AdapterError as error:
            return [str(error)]
        return []

    def _bind(self, sender: str, wanted: Mapping[str, Binding]) -> dict[str, str]:
        """Bind and unbind; return what went wrong, by the address as it was wished."""
        try:
            changes = self._bindings.apply(sender, list(wanted.values()))
        except (AdapterError, OSError) as error:
            return dict.fromkeys(wanted, str(error))
        _log("bound", changes.bound)
        _log("unbound", changes.unbound)
        texts = {one: text for text, one in wanted.items()}
        return {texts.get(one, _text(one)): words for one, words in changes.errors.items()}

    def _report(self, sender: str, words: set[str]) -> None:
        """Log what goes wrong, once as long as it does."""
        for text in sorted(words - self._said.get(sender, set())):
            LOG.error("cannot bind: %s", text)
        self._said[sender] = words


def _text(binding: Binding) -> str:
    """Write an address as the speaker wishes it: the length only where it is no single host's."""
    address = binding.address
    alone = address.network.prefixlen == address.max_prefixlen
    return str(address.ip if alone else address)


def _log(what: str, bindings: Sequence[Binding]) -> None:
    """Log each of a few, the number of many: a takeover does not wait for a log."""
    if len(bindings) > MOST_LINES:
        LOG.info("%s %d addresses", what, len(bindings))
        return
    for one in bindings:
        LOG.info(what, extra={"vip": str(one.address.ip), "interface": one.interface})
