"""Macvlans with the MAC of a virtual router, so that the host takes frames to it (RFC 9568 7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from orchestrator.adapters.kernel.netlink import Netlink
from orchestrator.adapters.state_files import read_json, write_json
from orchestrator.layer2.routers.binding import Macvlan

_PROC = Path("/proc/sys/net")
_DUMMY = {"address": "192.0.0.8", "prefixlen": 32, "scope": 254}
"""The IPv4 dummy address (RFC 7600), valid on this host only, which nothing is sent from."""
_SETTINGS = {
    # What a client sends to the virtual MAC comes in here, though the way back is by the parent:
    # that needs the loose check, which the kernel makes only where the interface has an address.
    "ipv4/conf/{name}/rp_filter": "2",
    # Addresses of its own would be one more host on the segment.
    "ipv6/conf/{name}/addr_gen_mode": "1",
    "ipv6/conf/{name}/accept_ra": "0",
}


class Macvlans:
    """Makes and removes macvlans; what is ours is kept in `record` for a successor."""

    def __init__(self, record: Path) -> None:
        self._record = record
        kept = read_json(record)
        self._ours = frozenset(map(str, kept)) if isinstance(kept, list) else frozenset()
        self._up: dict[str, bool] = {}

    async def apply(self, wanted: Iterable[Macvlan]) -> list[str]:
        """Have these and no others of ours; return what went wrong, in words.

        Raises `AdapterError` when the record cannot be written.
        """
        problems: list[str] = []
        named = {one.name: one for one in wanted}
        async with AsyncIPRoute() as netlink:
            indices = _indices()
            for name in (self._ours - named.keys()) & indices.keys():
                await netlink.link("del", index=indices[name])
            strangers = (named.keys() & indices.keys()) - self._ours
            self._note(frozenset(named) - strangers)
            problems += [f"there is an interface {name} already" for name in sorted(strangers)]
            for name in sorted(named.keys() - strangers):
                try:
                    await self._have(netlink, named[name], indices)
                except (NetlinkError, OSError, LookupError) as error:
                    problems.append(f"macvlan {name} on {named[name].parent}: {error}")
        return problems

    async def _have(self, netlink: AsyncIPRoute, one: Macvlan, indices: Mapping[str, int]) -> None:
        index = indices.get(one.name)
        if index is None:
            index = await _make(netlink, one, indices)
            self._up.pop(one.name, None)
        if self._up.get(one.name) is not one.up:
            # No ARP: the kernel would answer with the parent's address for what is bound there.
            state = "up" if one.up else "down"
            await netlink.link("set", index=index, state=state, arp=False)
            self._up[one.name] = one.up

    def _note(self, ours: frozenset[str]) -> None:
        if ours != self._ours:
            write_json(self._record, sorted(ours))
            self._ours = ours
            self._up = {name: up for name, up in self._up.items() if name in ours}


async def _make(netlink: AsyncIPRoute, one: Macvlan, indices: Mapping[str, int]) -> int:
    if one.parent not in indices:
        raise LookupError(f"there is no interface {one.parent}")
    await netlink.link(
        "add",
        ifname=one.name,
        kind="macvlan",
        link=indices[one.parent],
        # In private mode the parent would not hear another master, whose frames have the same MAC.
        macvlan_mode="bridge",
        address=str(one.mac),
    )
    for path, value in _SETTINGS.items():
        file = _PROC / path.format(name=one.name)
        if file.exists():
            file.write_text(value, "ascii")
    index = _indices()[one.name]
    await netlink.addr("add", index=index, **_DUMMY)
    return index


def _indices() -> dict[str, int]:
    with Netlink() as netlink:
        return {link.name: link.interface for link in netlink.links()}
