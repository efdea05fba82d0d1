"""What goes with virtual routers beside adverts: addresses bound, commands run, things tracked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence

from orchestrator.adapters.addresses_link import AddressesLink
from orchestrator.adapters.supervisor_link import Found, Notification, SupervisorLink, Watch
from orchestrator.layer2.actions import Became, RouterState
from orchestrator.layer2.binding import bound_by_masters, macvlans
from orchestrator.layer2.tracking import Facts
from orchestrator.layer2.virtual_router_notify import notify_arguments
from orchestrator.model.virtual_router import CommandTrack, FileTrack, VirtualRouter
from orchestrator.settings import Settings

SETTLE_S = 0.3
"""How long the last words of a stop are given to reach others."""


class Masters:
    """Knows which routers are master, and has done elsewhere what this process may not do."""

    def __init__(self, settings: Settings, on_facts: Callable[[], None]) -> None:
        self._on_facts = on_facts
        self._supervisor = SupervisorLink(settings.supervisor_socket, self._take)
        self._addresses = AddressesLink(settings.addresses_socket, _ignore, sender="layer2")
        self._routers: dict[str, VirtualRouter] = {}
        self._masters: set[str] = set()
        self._found = Found({}, [])
        self._health: Mapping[str, bool | None] = {}

    def works(self) -> list[Coroutine[None, None, None]]:
        """Return what is to run all the time."""
        return [self._supervisor.run(), self._addresses.run()]

    @property
    def facts(self) -> Facts:
        """What is tracked, as far as it is known."""
        return Facts(
            files=self._found.files,
            commands=dict(self._found.commands),
            health=self._health,
        )

    def want(self, routers: Sequence[VirtualRouter], health: Mapping[str, bool | None]) -> None:
        """Follow what these routers track."""
        self._routers = {router.name: router for router in routers}
        self._masters &= self._routers.keys()
        self._health = health
        tracks = [track for router in routers for track in router.track]
        files = sorted({track.path for track in tracks if isinstance(track, FileTrack)})
        commands = {track: None for track in tracks if isinstance(track, CommandTrack)}
        self._supervisor.watch(Watch(files, list(commands)))
        self._bind()

    def _take(self, found: Found) -> None:
        self._found = found
        self._on_facts()

    def became(self, became: Became) -> None:
        """Bind or unbind what goes with the new state, and have the notify command run."""
        router = self._routers.get(became.router)
        if router is None:
            return
        if became.new is RouterState.MASTER:
            self._masters.add(router.name)
        else:
            self._masters.discard(router.name)
        self._bind()
        if command := notify_arguments(router, became):
            self._supervisor.notify(Notification(router.name, list(command)))

    def _bind(self) -> None:
        routers = list(self._routers.values())
        self._addresses.want(
            bound_by_masters(routers, self._masters),
            macvlans(routers, self._masters),
            quiet_arp=True,
        )

    async def settle(self) -> None:
        """Let what was said last reach the supervisor and the addresses role."""
        await asyncio.sleep(SETTLE_S)


def _ignore() -> None:
    """Do nothing: what is bound changes nothing here."""
