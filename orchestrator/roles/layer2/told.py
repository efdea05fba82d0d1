"""What the layer2 role was told by its speaker: updates put together, stale without a speaker."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from orchestrator.adapters.layer2_routers import router_of
from orchestrator.adapters.layer2_wire import (
    VERSION,
    Greeting,
    Surroundings,
    Update,
    desired_of,
    wishes_of,
)
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.virtual_router import VirtualRouter

STALE_S = 30.0
"""Without a speaker for so long, what it said is stale (DESIGN 8.4)."""


class VersionError(ValueError):
    """The speaker is of another version."""


class Told:
    """The last complete word of the speaker."""

    def __init__(self) -> None:
        self._wishes: dict[IPAddress, Wish] = {}
        self._coming: dict[IPAddress, Wish] = {}
        self._around: Surroundings | None = None
        self._routers: tuple[VirtualRouter, ...] = ()
        self._heard_at: float | None = None

    def take(self, text: bytes, now: float) -> bool:
        """Take one line; True when it completes a word.

        Raises ValueError, TypeError or LookupError for what no speaker of this version says.
        """
        version = msgspec.json.decode(text, type=Greeting).version
        if version != VERSION:
            raise VersionError(f"the speaker has version {version}, this is {VERSION}")
        update = msgspec.json.decode(text, type=Update)
        if update.reset:
            self._coming = {}
        if update.surroundings is not None:
            self._around = update.surroundings
        if update.routers is not None:
            self._routers = tuple(map(router_of, update.routers))
        for address in map(ipaddress.ip_address, update.gone):
            self._coming.pop(address, None)
        self._coming.update((wish.address, wish) for wish in wishes_of(update))
        self._heard_at = now
        if not update.more:
            self._wishes = dict(self._coming)
        return not update.more

    def left(self, now: float) -> None:
        """Note that the speaker went away; what it said last is in force on."""
        self._coming = dict(self._wishes)
        self._heard_at = now

    @property
    def routers(self) -> tuple[VirtualRouter, ...]:
        """Virtual routers of this host."""
        return self._routers

    @property
    def excluded_interfaces(self) -> tuple[str, ...]:
        """Regular expressions of interfaces that carry no segment."""
        return tuple(self._around.excluded_interfaces) if self._around else ()

    @property
    def health(self) -> Mapping[str, bool | None]:
        """Health of tracked VirtualIPs."""
        return self._around.health if self._around else {}

    def stale_at(self) -> float | None:
        """Return when what was said becomes stale; None when it never will or nothing was said."""
        return None if self._heard_at is None else self._heard_at + STALE_S

    def desired(self, gateways: Mapping[str, tuple[IPAddress, ...]], now: float) -> Desired | None:
        """Return what should be, None before the first complete word."""
        stale_at = self.stale_at()
        if self._around is None or stale_at is None:
            return None
        desired = desired_of(self._around, self._wishes.values(), gateways)
        return replace(desired, fresh=False) if now > stale_at else desired
