"""The ledger of addresses: who has which, who may have which, and what is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orchestrator.model.address import Family, IPAddress, family_of
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import Reason
from orchestrator.model.policy import Pool
from orchestrator.planner.free_addresses import FreeAddresses
from orchestrator.planner.pools import PoolOrder
from orchestrator.planner.sharing import SharedAddresses, may_share


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a Service does not get what it wants."""

    reason: Reason
    message: str


@dataclass(slots=True)
class Ledger:
    """Who has which address; what is free is indexed for the pools that are asked for it."""

    pools: PoolOrder
    users: dict[IPAddress, list[Service]] = field(default_factory=dict)
    _free: dict[tuple[str, Family], FreeAddresses] = field(default_factory=dict)
    _shared: SharedAddresses = field(default_factory=SharedAddresses)

    def claim(self, service: Service, addresses: Sequence[IPAddress]) -> Refusal | None:
        """Take `addresses`, or none of them, and say why, if others stand against one."""
        for index, address in enumerate(addresses):
            users = self.users.setdefault(address, [])
            if users and (refusal := _against(service, address, users)):
                self.release(service.key, addresses[:index])
                return refusal
            self._add(service, address, users)
        return None

    def take(self, service: Service, addresses: Iterable[IPAddress]) -> None:
        """Note that `service` has `addresses`."""
        for address in addresses:
            self._add(service, address, self.users.setdefault(address, []))

    def _add(self, service: Service, address: IPAddress, users: list[Service]) -> None:
        users.append(service)
        if self._free or service.sharing_key or self._shared:
            self._note(address, users)

    def release(self, key: ServiceKey, addresses: Iterable[IPAddress]) -> None:
        """Note that the Service has these addresses no more."""
        for address in addresses:
            users = [user for user in self.users[address] if user.key != key]
            if users:
                self.users[address] = users
            else:
                del self.users[address]
            self._note(address, users)

    def _note(self, address: IPAddress, users: list[Service]) -> None:
        pool = self.pools.pool_of(address) if self._free else None
        index = self._free.get((pool.name, family_of(address))) if pool else None
        if index is not None:
            (index.take if users else index.release)(address)
        if address in self._shared or (users and users[-1].sharing_key):
            self._shared.note(address, users)

    def refusal(self, service: Service, address: IPAddress) -> Refusal | None:
        """Say why `service` may not have `address` beside its other users, or None if it may."""
        users = self.users.get(address)
        return _against(service, address, users) if users else None

    def lowest(self, service: Service, pool: Pool, family: Family) -> IPAddress | None:
        """Return the first address of `pool` that is free, or that `service` may share."""
        for addresses, free in self._index(pool, family).lowest():
            shared = self._shared.lowest(service, addresses) if service.sharing_key else None
            numbers = [number for number in (free, shared) if number is not None]
            if numbers:
                return type(addresses.first)(min(numbers))
        return None

    def _index(self, pool: Pool, family: Family) -> FreeAddresses:
        key = (pool.name, family)
        if key not in self._free:
            self._free[key] = FreeAddresses(pool, family, self.users)
        return self._free[key]


def _against(service: Service, address: IPAddress, users: Sequence[Service]) -> Refusal | None:
    """Say what stands against `service` beside `users` (metallb.md 3.5)."""
    others = [user for user in users if user.key != service.key]
    for user in others:
        if not may_share(service, user):
            return Refusal(Reason.SHARING_MISMATCH, _mismatch(service, user, address))
    for user in others:
        clash = service.ports & user.ports
        if clash:
            port = min(clash)
            text = f"port {port.protocol.lower()}/{port.number} is already in use on {address}"
            return Refusal(Reason.PORT_IN_USE, f"{text} by {user.key}; change the port")
    return None


def _mismatch(service: Service, user: Service, address: IPAddress) -> str:
    text = f"{address} is in use by {user.key}"
    if not service.sharing_key:
        return f"{text}; to share it, both need the same annotation metallb.io/allow-shared-ip"
    if service.sharing_key != user.sharing_key:
        return f'can\'t change sharing key for "{service.key}", {text} under another key'
    return (
        f"{text} under the same key, but their backends differ: both need externalTrafficPolicy "
        "Cluster, or Local with equal selectors"
    )
