"""A VirtualRouter: one VRRP instance of a router VM (RFC 9568, RFC 3768; DESIGN 8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from orchestrator.model.address import Interface, IPAddress


class ChecksumForm(Enum):
    """How the checksum of adverts is computed: keepalived's pseudo header, or RFC 9568's."""

    KEEPALIVED = "keepalived"
    RFC9568 = "rfc9568"


@dataclass(frozen=True, slots=True)
class InterfaceTrack:
    """Watches the carrier of `interface`; without a weight its loss is a fault of the router."""

    interface: str
    weight: int = 0


@dataclass(frozen=True, slots=True)
class FileTrack:
    """Adds the number in `path`, times `weight`, to the priority."""

    path: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class CommandTrack:
    """Runs `command` every `interval_ms`; a status other than 0 is a failure."""

    command: tuple[str, ...]
    interval_ms: int = 1000
    timeout_ms: int = 1000
    rise: int = 1
    fall: int = 1
    weight: int = 0


@dataclass(frozen=True, slots=True)
class HealthTrack:
    """Follows the health check of a VirtualIP."""

    virtual_ip: str
    weight: int = 0


Track: TypeAlias = InterfaceTrack | FileTrack | CommandTrack | HealthTrack


@dataclass(frozen=True, slots=True)
class VirtualRouter:
    """One virtual router on one interface.

    `addresses` are listed in adverts, in this order; `excluded_addresses` come and go with them.
    All of `addresses` are of one family. `priority` 255 is the owner of the addresses.
    `advert_interval_ms` is whole seconds in version 2. `password` is VRRPv2's PASS authentication
    (RFC 2338), never shown. `unicast_peers` replace multicast. `virtual_mac` asks for the MAC
    00:00:5e:00:01:VRID on a macvlan. `bind` is the interface the addresses are put on: `lo` has them
    at all times, another one while this router is master; None leaves that to others. Routers of
    one `sync_group` change state together. `notify` is run with keepalived's arguments after its own:
    INSTANCE, name, new state, priority.
    """

    name: str
    interface: str
    vrid: int
    version: int = 3
    priority: int = 100
    advert_interval_ms: int = 1000
    preempt: bool = True
    preempt_delay_ms: int = 0
    addresses: tuple[Interface, ...] = ()
    excluded_addresses: tuple[Interface, ...] = ()
    password: str | None = field(default=None, repr=False)
    checksum: ChecksumForm = ChecksumForm.KEEPALIVED
    unicast_peers: tuple[IPAddress, ...] = ()
    virtual_mac: bool = False
    bind: str | None = "lo"
    track: tuple[Track, ...] = ()
    sync_group: str | None = None
    notify: tuple[str, ...] = ()

    @property
    def all_addresses(self) -> tuple[Interface, ...]:
        """Every address that comes and goes with mastery, in adverts or not."""
        return (*self.addresses, *self.excluded_addresses)
