"""Addresses on interfaces: the only code that changes the kernel's addresses (needs NET_ADMIN)."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.model.address import IPAddress

IFA_F_NODAD = 0x02
"""No duplicate address detection: several hosts have this address on purpose (RFC 4862 5.4)."""


class Bindings:
    """Puts addresses on interfaces and takes off only those that it put there.

    What is ours is kept in `record`, so a successor of a killed process knows it. An address that
    was there before us is used and never taken off.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        kept = read_json(record)
        self._ours: dict[str, str] = dict(kept) if isinstance(kept, dict) else {}

    @property
    def ours(self) -> Mapping[str, str]:
        """Addresses that are ours to take off, with their interface."""
        return dict(self._ours)

    async def bind(self, address: IPAddress, interface: str) -> str | None:
        """Put `address` on `interface`; return what went wrong in words, None when it is there."""
        async with AsyncIPRoute() as netlink:
            index = next(iter(await netlink.link_lookup(ifname=interface)), None)
            if index is None:
                return f"there is no interface {interface}"
            known = self._ours
            # Noted first: an address that a killed process left behind is still ours.
            self._remember({**known, str(address): interface})
            try:
                await netlink.addr(
                    "add",
                    index=index,
                    address=str(address),
                    prefixlen=address.max_prefixlen,
                    flags=IFA_F_NODAD if address.version == 6 else 0,
                )
            except NetlinkError as error:
                self._remember(known)
                return None if error.code == errno.EEXIST else _words(error, interface)
        return None

    async def unbind(self, address: IPAddress) -> str | None:
        """Take `address` off if it is ours; return what went wrong in words."""
        interface = self._ours.get(str(address))
        if interface is None:
            return None
        async with AsyncIPRoute() as netlink:
            index = next(iter(await netlink.link_lookup(ifname=interface)), None)
            try:
                if index is not None:
                    await netlink.addr(
                        "del", index=index, address=str(address), prefixlen=address.max_prefixlen
                    )
            except NetlinkError as error:
                if error.code != errno.EADDRNOTAVAIL:
                    return _words(error, interface)
        self._remember({key: name for key, name in self._ours.items() if key != str(address)})
        return None

    def _remember(self, ours: dict[str, str]) -> None:
        self._ours = ours
        write_json(self._record, ours)


def _words(error: NetlinkError, interface: str) -> str:
    if error.code in {errno.EPERM, errno.EACCES}:
        return f"no permission to change {interface}: the addresses role needs CAP_NET_ADMIN"
    return f"{interface}: {errno.errorcode.get(error.code, error.code)}"
