"""What goes with virtual routers beside adverts: addresses bound, commands run, things tracked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence

from orchestrator.adapters.addresses_link import AddressesLink
from orchestrator.adapters.supervisor_link import Found, Notification, SupervisorLink, Watch
from orchestrator.layer2.actions import Became
from orchestrator.layer2.routers.binding import bound_by_masters, macvlans
from orchestrator.layer2.routers.notify import notify_arguments
from orchestrator.layer2.routers.tracking import Facts
from orchestrator.model.virtual_router import CommandTrack, FileTrack, VirtualRouter
from orchestrator.settings import Settings

SETTLE_S = 0.3
"""How long the last words of a stop are given to reach others."""


class Masters:
    """Has done elsewhere, for virtual routers, what this process may not do."""

    def __init__(
        self,
        settings: Settings,
        on_facts: Callable[[], None],
        holds: Callable[[VirtualRouter], bool],
    ) -> None:
        """Take `holds`, which tells whether a router is answered for: a stopped one hands over."""
        self._on_facts = on_facts
        self._holds = holds
        self._supervisor = SupervisorLink(settings.supervisor_socket, self._take)
        self._addresses = AddressesLink(settings.addresses_socket, _ignore, sender="layer2")
        self._routers: dict[str, VirtualRouter] = {}
        self._former: dict[str, VirtualRouter] = {}
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
        self._former |= self._routers
        self._routers = {router.name: router for router in routers}
        self._health = health
        tracks = [track for router in routers for track in router.track]
        files = sorted({track.path for track in tracks if isinstance(track, FileTrack)})
        commands = {track: None for track in tracks if isinstance(track, CommandTrack)}
        self._supervisor.watch(Watch(files, list(commands)))

    def _take(self, found: Found) -> None:
        self._found = found
        self._on_facts()

    def became(self, became: Became) -> None:
        """Have the notify command of a router run; one that is gone from the files says STOP."""
        router = self._routers.get(became.router) or self._former.get(became.router)
        if router is not None and (command := notify_arguments(router, became)):
            self._supervisor.notify(Notification(router.name, list(command)))

    def bind(self) -> None:
        """Have bound what is answered for now, and nothing else."""
        self._former = {
            name: router
            for name, router in self._former.items()
            if name not in self._routers and self._holds(router)
        }
        routers = [*self._routers.values(), *self._former.values()]
        holding = {router.name for router in routers if self._holds(router)}
        self._addresses.want(
            bound_by_masters(routers, holding), macvlans(routers, holding), quiet_arp=True
        )

    async def settle(self) -> None:
        """Let what was said last reach the supervisor and the addresses role."""
        await asyncio.sleep(SETTLE_S)


def _ignore() -> None:
    """Do nothing: what is bound changes nothing here."""
