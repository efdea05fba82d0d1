"""A connection to the kernel's rtnetlink: questions, and many changes in one write."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Final, Self

from orchestrator.adapters.kernel import rtnetlink
from orchestrator.adapters.kernel.rtnetlink import Assigned, Gateway, Link, Message, Request

_NETLINK: Final = 270
_CAP_ACK, _STRICT_CHECK = 10, 12
_ACK, _DUMP = 0x4, 0x300
_BATCH = 128
"""Requests written at once: their answers fit into the receive buffer whatever goes wrong."""
_BUFFER = 1 << 18


class Netlink:
    """A connection to the kernel for questions and changes; each call waits for its answer."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._socket.setsockopt(_NETLINK, _CAP_ACK, 1)
        self._socket.setsockopt(_NETLINK, _STRICT_CHECK, 1)
        self._socket.bind((0, 0))
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def links(self) -> list[Link]:
        """Return all interfaces."""
        return [rtnetlink.link_of(body) for body in self._dump(rtnetlink.ALL_LINKS)]

    def addresses(self) -> list[Assigned]:
        """Return all addresses in the kernel's order: the primary ones of a subnet first."""
        bodies = self._dump(rtnetlink.ALL_ADDRESSES)
        return [found for body in bodies if (found := rtnetlink.assigned_of(body)) is not None]

    def first_gateways(self, family: socket.AddressFamily) -> list[Gateway]:
        """Return the next hops of default routes among the first routes of the main table.

        The kernel tells routes in the order of their prefixes, so they are all there however many
        routes there are. To be called once: what else it would tell is left unread.
        """
        self._ask(_DUMP, rtnetlink.main_routes(family))
        answers = rtnetlink.messages(self._socket.recv(_BUFFER))
        bodies = [answer.body for answer in answers if answer.kind == rtnetlink.NEW_ROUTE]
        return [hop for body in bodies for hop in rtnetlink.gateways_of(body)]

    def _dump(self, request: Request) -> Iterator[bytes]:
        self._ask(_DUMP, request)
        while True:
            for message in rtnetlink.messages(self._socket.recv(_BUFFER)):
                if message.kind == rtnetlink.DONE:
                    return
                _raise(message)
                yield message.body

    def change(self, requests: Sequence[Request]) -> list[int]:
        """Have all changes made; return an error number for each, 0 where it was made."""
        found: list[int] = []
        for at in range(0, len(requests), _BATCH):
            found += self._batch(requests[at : at + _BATCH])
        return found

    def _batch(self, requests: Sequence[Request]) -> list[int]:
        """Write many requests at once; the last one's answer says that all are done."""
        first = self._sequence + 1
        self._sequence += len(requests)
        last = self._sequence
        acks = [0] * (len(requests) - 1) + [_ACK]
        written = (
            rtnetlink.encode(request, number, ack)
            for number, (request, ack) in enumerate(zip(requests, acks, strict=True), first)
        )
        self._socket.send(b"".join(written))
        errors = [0] * len(requests)
        while True:
            for message in rtnetlink.messages(self._socket.recv(_BUFFER)):
                errors[message.sequence - first] = _number(message)
                if message.sequence == last:
                    return errors

    def _ask(self, flags: int, request: Request) -> None:
        self._sequence += 1
        self._socket.send(rtnetlink.encode(request, self._sequence, flags))


def _number(message: Message) -> int:
    return rtnetlink.error_of(message.body) if message.kind == rtnetlink.ERROR else 0


def _raise(message: Message) -> None:
    if number := _number(message):
        raise OSError(number, os.strerror(number))


def default_gateways() -> list[Gateway]:
    """Return the next hops of the default routes of the main table, of both families."""
    found: list[Gateway] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        with Netlink() as netlink:
            found += netlink.first_gateways(family)
    return found
