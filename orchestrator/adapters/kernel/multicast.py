"""Membership of multicast groups, so that switches which look at IGMP and MLD let them through."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Iterable

from orchestrator.model.address import IPAddress

_FULL = {errno.ENOBUFS, errno.ENOMEM}


class Memberships:
    """Groups joined on interface `index`; none is left before `close`.

    A socket holds only as many groups as net.core.optmem_max and igmp_max_memberships allow, so
    there are several. Leaving many groups slows down the kernel for seconds (layer2.md 0.9).
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._sockets: dict[int, list[socket.socket]] = {4: [], 6: []}
        self._joined: set[IPAddress] = set()

    def join(self, groups: Iterable[IPAddress]) -> dict[IPAddress, str]:
        """Join `groups`; return what went wrong, in words, for those that could not be joined.

        What could not be joined is tried again by the next call that names it.
        """
        errors: dict[IPAddress, str] = {}
        for group in groups:
            if group in self._joined:
                continue
            try:
                self._join(group)
                self._joined.add(group)
            except OSError as error:
                errors[group] = error.strerror or str(error)
        return errors

    def _join(self, group: IPAddress) -> None:
        sockets = self._sockets[group.version]
        if sockets:
            try:
                self._enter(sockets[-1], group)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
            else:
                return
        sockets.append(self._open(group))
        self._enter(sockets[-1], group)

    @staticmethod
    def _open(group: IPAddress) -> socket.socket:
        family = socket.AF_INET if group.version == 4 else socket.AF_INET6
        return socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def _enter(self, member: socket.socket, group: IPAddress) -> None:
        if isinstance(group, ipaddress.IPv4Address):
            request = struct.pack("@4s4si", group.packed, bytes(4), self._index)
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        else:
            request = struct.pack("@16sI", group.packed, self._index)
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)

    def close(self) -> None:
        """Leave all."""
        for sockets in self._sockets.values():
            for member in sockets:
                member.close()
            sockets.clear()
        self._joined.clear()
