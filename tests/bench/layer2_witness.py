"""What the client of a segment sees of ARP, adverts and hellos, with the kernel's time stamps."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Self

from orchestrator.adapters.kernel.packet_filter import arp
from orchestrator.adapters.kernel.packet_socket import PacketSocket
from orchestrator.adapters.kernel.port_sockets import Adverts
from orchestrator.lab.node import Node
from orchestrator.layer2.frames.arp import decode
from orchestrator.layer2.frames.ethernet import ARP_TYPE, HEAD_LENGTH
from orchestrator.layer2.shared.member_frame import KIND_AT, VERSION_AND_TYPE, Kind
from tests.lab.inside import inside

MANY = 100_000
IPV4_HEAD_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Told:
    """A frame from `mac` at `at` (monotonic clock); `address` is whose MAC an ARP message told.

    `claims` is a member's list of its claims, which goes out beside the regular hellos.
    """

    at: float
    mac: str
    address: str = ""
    gratuitous: bool = False
    claims: bool = False


class Witness:
    """Sees all that arrives at eth1 of a node while the block lasts."""

    def __init__(self, node: Node) -> None:
        with inside(node):
            index = socket.if_nametoindex("eth1")
            self._arp = PacketSocket(index, ARP_TYPE, arp(index, None))
            self._adverts = Adverts(index)
        self._seen: list[Told] = []
        self._heard: list[Told] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._arp.close()
        self._adverts.close()

    def clear(self) -> None:
        """Forget everything until now."""
        self.told()
        self.adverts()
        self._seen.clear()
        self._heard.clear()

    def told(self) -> list[Told]:
        """Return the ARP messages since the last `clear`."""
        for frame, age_s in self._arp.read(MANY):
            if message := decode(frame):
                mac, address = str(message.sender_mac), str(message.sender)
                at = time.monotonic() - age_s
                self._seen.append(Told(at, mac, address, message.is_announcement))
        return self._seen

    def announced(self, mac: str) -> dict[str, float]:
        """Return when a MAC first announced each address since the last `clear`."""
        found: dict[str, float] = {}
        for one in self.told():
            if one.gratuitous and one.mac == mac:
                found.setdefault(one.address, one.at)
        return found

    def adverts(self) -> list[Told]:
        """Return adverts, hellos and claims since the last `clear`."""
        for frame, age_s in self._adverts.read(MANY):
            message = frame[HEAD_LENGTH + IPV4_HEAD_LENGTH :]
            claims = message[0] == VERSION_AND_TYPE and message[KIND_AT] == Kind.CLAIMS
            mac = frame[6:12].hex(":")
            self._heard.append(Told(time.monotonic() - age_s, mac, claims=claims))
        return self._heard
