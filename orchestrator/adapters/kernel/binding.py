"""Addresses on interfaces: the only code that changes the kernel's addresses (needs NET_ADMIN).

All of one wish go to the kernel in one write: a takeover does not wait for one after the other.
"""

from __future__ import annotations

import errno
import ipaddress
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.adapters.kernel.netlink import Netlink
from orchestrator.adapters.kernel.rtnetlink import DEL_ADDRESS, NEW_ADDRESS, address_request
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.address import Interface

SPEAKER = "speaker"
"""Whose bindings a record without names has."""


class Binding(NamedTuple):
    """An address with its prefix length, on an interface."""

    address: Interface
    interface: str


class Changes(NamedTuple):
    """What one wish changed, and what could not be done, in words."""

    bound: list[Binding]
    unbound: list[Binding]
    errors: dict[Binding, str]


class Bindings:
    """Puts addresses on interfaces and takes off only those that it put there.

    Several `client`s wish, each for itself; what one of them wishes stays. What is ours is kept in
    `record`, so a successor of a killed process knows it. An address that was there before us is
    used and never taken off.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self._ours = _read(record)

    def ours(self, client: str) -> frozenset[Binding]:
        """Return the bindings that are ours to take off, for `client`."""
        return frozenset(self._ours.get(client, ()))

    @property
    def interfaces(self) -> frozenset[str]:
        """Where something of ours is bound."""
        return frozenset(one.interface for one in self._all())

    def _all(self) -> set[Binding]:
        return {one for bindings in self._ours.values() for one in bindings}

    def apply(self, client: str, wanted: Collection[Binding]) -> Changes:
        """Bind what `client` wishes, and unbind what is ours and nobody's wish any longer.

        Raises `AdapterError` when the record cannot be written: nothing is bound then.
        """
        with Netlink() as netlink:
            indices = {link.name: link.interface for link in netlink.links()}
            others = {one for name, ours in self._ours.items() if name != client for one in ours}
            gone, stuck = self._unbind(netlink, indices, self._all() - others - set(wanted))
            present = {(one.interface, _key(one.address)) for one in netlink.addresses()}
            missing = [
                one
                for one in wanted
                if one.interface in indices
                and (indices[one.interface], _key(one.address)) not in present
            ]
            known = self._all()
            # Noted first: an address that a killed process left behind is still ours.
            self._note(client, {*missing, *(known & set(wanted)), *stuck})
            errors = _absent(wanted, indices) | stuck
            errors |= self._bind(netlink, indices, client, missing)
        added = self._all() - known
        new = [one for one in missing if one in added]
        return Changes(new, gone, errors)

    def _bind(
        self, netlink: Netlink, indices: Mapping[str, int], client: str, missing: list[Binding]
    ) -> dict[Binding, str]:
        numbers = netlink.change(
            [address_request(NEW_ADDRESS, indices[one.interface], one.address) for one in missing]
        )
        failed = {one: number for one, number in zip(missing, numbers, strict=True) if number}
        self._note(client, self.ours(client) - failed.keys())
        return {
            one: _words(number, one.interface)
            for one, number in failed.items()
            if number != errno.EEXIST
        }

    def _unbind(
        self, netlink: Netlink, indices: Mapping[str, int], going: Iterable[Binding]
    ) -> tuple[list[Binding], dict[Binding, str]]:
        """Take off; return what is gone, and what went wrong for the rest."""
        gone = [one for one in going if one.interface in indices]
        numbers = netlink.change(
            [address_request(DEL_ADDRESS, indices[one.interface], one.address) for one in gone]
        )
        errors = {
            one: _words(number, one.interface)
            for one, number in zip(gone, numbers, strict=True)
            if number not in {0, errno.EADDRNOTAVAIL}
        }
        return [one for one in gone if one not in errors], errors

    def _note(self, client: str, bindings: Collection[Binding]) -> None:
        ours = {**self._ours, client: frozenset(bindings)}
        if ours != self._ours:
            write_json(
                self._record,
                {
                    name: [[str(one.address), one.interface] for one in sorted(theirs, key=str)]
                    for name, theirs in ours.items()
                },
            )
            self._ours = ours


def _read(record: Path) -> dict[str, frozenset[Binding]]:
    """Read what is ours; what is not understood is nobody's, and stays."""
    kept = read_json(record)
    try:
        return {
            client: frozenset(Binding(ipaddress.ip_interface(a), str(name)) for a, name in theirs)
            for client, theirs in _by_client(kept or {}).items()
        }
    except (AttributeError, TypeError, ValueError):
        return {}


def _by_client(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take a record of earlier versions too: the interface by address, all for the speaker."""
    if any(isinstance(value, str) for value in kept.values()):
        return {SPEAKER: kept.items()}
    return kept


def _key(address: Interface) -> object:
    """Return what the kernel has once only: an IPv4 address for each length, an IPv6 address."""
    return address.ip if address.version == 6 else address


def _absent(wanted: Iterable[Binding], indices: Mapping[str, int]) -> dict[Binding, str]:
    return {
        one: f"there is no interface {one.interface}"
        for one in wanted
        if one.interface not in indices
    }


def _words(number: int, interface: str) -> str:
    if number in {errno.EPERM, errno.EACCES}:
        return f"no permission to change {interface}: the addresses role needs CAP_NET_ADMIN"
    return f"{interface}: {os.strerror(number)}"
