"""Sharing of addresses: who may join whom, and the lowest address that can be joined.

Two Services may hold one address when their sharing keys are equal and not empty, their backend keys
are equal, and no port is served by both (metallb.md 3.5).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.model.address import AddressRange, Family, IPAddress, family_of
from orchestrator.model.cluster import Port, Service


def may_share(service: Service, other: Service) -> bool:
    """Tell whether the keys of two Services allow them one address; ports are another matter."""
    same_key = bool(service.sharing_key) and service.sharing_key == other.sharing_key
    return same_key and service.backend_key == other.backend_key


class _Group(NamedTuple):
    """What the users of an address have in common, and the family of the address."""

    sharing_key: str
    backend_key: str
    family: Family


Ports = frozenset[Port]


class SharedAddresses:
    """Addresses whose users share, by the ports in use on them.

    There are few sets of ports, so that whatever can be joined is found fast among many addresses.
    """

    def __init__(self) -> None:
        self._numbers: dict[_Group, dict[Ports, list[int]]] = defaultdict(dict)
        self._places: dict[IPAddress, tuple[_Group, Ports]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, address: IPAddress) -> bool:
        return address in self._places

    def note(self, address: IPAddress, users: Iterable[Service]) -> None:
        """Note who uses `address` now."""
        self._forget(address)
        users = tuple(users)
        if not users or not users[0].sharing_key:
            return
        group = _group(users[0], address)
        ports = frozenset(port for user in users for port in user.ports)
        insort(self._numbers[group].setdefault(ports, []), int(address))
        self._places[address] = group, ports

    def _forget(self, address: IPAddress) -> None:
        place = self._places.pop(address, None)
        if place is not None:
            group, ports = place
            numbers = self._numbers[group][ports]
            del numbers[bisect_left(numbers, int(address))]

    def lowest(self, service: Service, addresses: AddressRange) -> int | None:
        """Return the lowest number of a range that `service` may join others at."""
        group = _Group(service.sharing_key, service.backend_key, addresses.family)
        first, last = int(addresses.first), int(addresses.last)
        found = [
            numbers[index]
            for ports, numbers in self._numbers.get(group, {}).items()
            if ports.isdisjoint(service.ports)
            if (index := bisect_left(numbers, first)) < len(numbers) and numbers[index] <= last
        ]
        return min(found, default=None)


def _group(user: Service, address: IPAddress) -> _Group:
    return _Group(user.sharing_key, user.backend_key, family_of(address))
