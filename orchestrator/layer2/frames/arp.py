"""ARP for IPv4 over Ethernet (RFC 826): questions, answers, probes and announcements (RFC 5227)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

from orchestrator.layer2.frames.ethernet import (
    ARP_TYPE,
    BROADCAST,
    HEAD_LENGTH,
    MAC,
    NOBODY,
    Head,
    decode_head,
)

_BODY = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET, _IPV4 = 1, 0x0800
_ANYWHERE = ipaddress.IPv4Address(0)


class Operation(IntEnum):
    """What an ARP message is for."""

    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class Arp:
    """One message: the addresses of the sender, and of whom it is about."""

    operation: Operation
    sender_mac: MAC
    sender: ipaddress.IPv4Address
    target_mac: MAC
    target: ipaddress.IPv4Address

    @property
    def is_probe(self) -> bool:
        """Tell whether somebody asks if an address is in use before taking it (RFC 5227 2.1.1)."""
        return self.operation is Operation.REQUEST and self.sender == _ANYWHERE

    @property
    def is_announcement(self) -> bool:
        """Tell whether the sender says where its own address is (gratuitous ARP)."""
        return self.sender == self.target

    def encode(self, target: MAC = BROADCAST) -> bytes:
        """Return the frame that carries the message to `target`."""
        head = Head(target, self.sender_mac, ARP_TYPE).encode()
        return head + _BODY.pack(
            _ETHERNET,
            _IPV4,
            6,
            4,
            self.operation,
            self.sender_mac,
            self.sender.packed,
            self.target_mac,
            self.target.packed,
        )


def decode(frame: bytes) -> Arp | None:
    """Read a frame; None when it is not ARP for IPv4 over Ethernet, or cut short."""
    head = decode_head(frame)
    if head is None or head.type != ARP_TYPE or len(frame) < HEAD_LENGTH + _BODY.size:
        return None
    *kind, operation, sender_mac, sender, target_mac, target = _BODY.unpack_from(frame, HEAD_LENGTH)
    if kind != [_ETHERNET, _IPV4, 6, 4] or operation not in tuple(Operation):
        return None
    return Arp(
        Operation(operation),
        MAC(sender_mac),
        ipaddress.IPv4Address(sender),
        MAC(target_mac),
        ipaddress.IPv4Address(target),
    )


def answer(question: Arp, own: MAC) -> bytes:
    """Return the frame that tells who asked that the address asked for is at `own`."""
    reply = Arp(Operation.REPLY, own, question.target, question.sender_mac, question.sender)
    return reply.encode(question.sender_mac)


def announcements(address: ipaddress.IPv4Address, own: MAC) -> tuple[bytes, bytes]:
    """Return both forms of gratuitous ARP: hosts differ in which they heed (layer2.md 1)."""
    request = Arp(Operation.REQUEST, own, address, NOBODY, address)
    reply = Arp(Operation.REPLY, own, address, BROADCAST, address)
    return request.encode(), reply.encode()


def ask(address: ipaddress.IPv4Address, own: MAC, source: ipaddress.IPv4Address | None) -> bytes:
    """Return the frame that asks who has `address`; without a source it is a probe (RFC 5227)."""
    return Arp(Operation.REQUEST, own, source or _ANYWHERE, NOBODY, address).encode()
