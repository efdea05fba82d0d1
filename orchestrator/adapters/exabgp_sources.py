"""Own addresses towards the peers, and the BGP identifier: chosen once, then kept while they work.

A changed source address or identifier resets a session, so neither follows every change of the
host's addresses.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from orchestrator.bgp.render import ROUTER_ID_NOTE, Surroundings
from orchestrator.model.address import Family, IPAddress
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer

ANYWHERE = ("192.0.2.1", 9)
"""Documentation address (RFC 5737): the kernel's choice for it is that of the default route."""


class Sources:
    """Remembers the source address of each session, and the identifier of the node."""

    def __init__(
        self,
        configuration: Path,
        is_up: Callable[[str], bool],
        own_address: Callable[[Peer], IPAddress | None] | None = None,
    ) -> None:
        self._is_up = is_up
        self._own_address = own_address or kernel_source
        self._known: dict[str, IPAddress] = {}
        self._router_id: IPAddress | None = noted_router_id(configuration)

    def look(self, sessions: Sequence[Session]) -> Surroundings:
        """Return what the configuration of `sessions` depends on at this moment."""
        for peer in (session.peer for session in sessions):
            self._look_for(peer)
        names = {session.peer.name for session in sessions}
        self._known = {name: own for name, own in self._known.items() if name in names}
        if self._router_id is None and sessions:
            self._router_id = router_id(tuple(self._known.values()))
        return Surroundings(self._router_id or IPv4Address(1), sources=dict(self._known))

    def _look_for(self, peer: Peer) -> None:
        if peer.source_address is not None:
            self._known[peer.name] = peer.source_address
        elif peer.name not in self._known or not self._is_up(peer.name):
            own = self._own_address(peer)
            if own is not None:
                self._known[peer.name] = own


def kernel_source(peer: Peer) -> IPAddress | None:
    """Return the address that the kernel would send to `peer` from; nothing is sent."""
    family = socket.AF_INET if peer.session_family is Family.IPV4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(peer.address), peer.port))
            return ip_address(probe.getsockname()[0])
        except OSError:
            return None


def noted_router_id(configuration: Path) -> IPAddress | None:
    """Return the identifier that an earlier speaker noted in its rendered configuration."""
    try:
        with configuration.open(encoding="utf-8") as stream:
            found = re.fullmatch(
                ROUTER_ID_NOTE.format(r"([0-9.]{7,15})"), stream.readline().strip()
            )
        return IPv4Address(found[1]) if found else None
    except (OSError, ValueError):
        return None


def router_id(sources: Sequence[IPAddress]) -> IPAddress:
    """Choose the identifier (RFC 6286: not zero, unique in the AS): the lowest own IPv4 address."""
    own = sorted(address for address in sources if isinstance(address, IPv4Address))
    if own:
        return own[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ANYWHERE)
            return IPv4Address(probe.getsockname()[0])
        except OSError:
            return _from_hash(sources)


def _from_hash(sources: Sequence[IPAddress]) -> IPv4Address:
    """Derive an identifier from IPv6 addresses alone, for hosts without IPv4."""
    number = int(min(sources, key=int)) if sources else 1
    return IPv4Address((number ^ number >> 32 ^ number >> 64 ^ number >> 96) & 0x7FFFFFFF | 1)
