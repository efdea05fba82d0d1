"""Adverts of VRRP versions 2 and 3 as bytes (RFC 9568 5, RFC 3768 5).

Every check of RFC 9568 7.1 that a packet can fail by itself has a name, to be counted by.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from enum import Enum

from orchestrator.layer2.frames.checksum import VRRP, checksum, pseudo_header
from orchestrator.model.address import IPAddress
from orchestrator.model.virtual_router import ChecksumForm

ADVERTISEMENT = 1
"""The only type of message that VRRP has."""
GROUP_IPV4 = ipaddress.IPv4Address("224.0.0.18")
GROUP_IPV6 = ipaddress.IPv6Address("ff02::12")
TTL = 255
"""What has been forwarded by a router has less (RFC 9568 5.1.1.3, 5.1.2.3)."""
_HEAD = struct.Struct("!BBBBHH")
_PASS = 1
_PASSWORD_BYTES = 8
_CENTISECOND_MS = 10
_SECOND_MS = 1000


class Rejection(Enum):
    """Why an advert is not looked at (RFC 9568 7.1, RFC 3768 7.1).

    `decode` knows those up to AUTHENTICATION; the others take the router's configuration to see.
    """

    TTL = "ttl"
    TRUNCATED = "truncated"
    VERSION = "version"
    TYPE = "type"
    LENGTH = "length"
    CHECKSUM = "checksum"
    COUNT = "count"
    INTERVAL = "interval"
    AUTHENTICATION = "authentication"
    UNKNOWN_VRID = "unknownVRID"
    OTHER_VERSION = "otherVersion"
    OWN_ADVERT = "ownAdvert"
    TRANSPORT = "transport"
    UNKNOWN_PEER = "unknownPeer"
    AUTHENTICATION_TYPE = "authenticationType"
    PASSWORD = "password"  # noqa: S105 (the name of a cause)
    OTHER_INTERVAL = "otherInterval"


@dataclass(frozen=True, slots=True)
class Advert:
    """One advertisement; all `addresses` are of one family.

    `interval_ms` is a multiple of 10 in version 3, of 1000 in version 2. `password` is version 2's
    PASS authentication, None without.
    """

    version: int
    vrid: int
    priority: int
    interval_ms: int
    addresses: tuple[IPAddress, ...]
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """The payload of an IP packet of protocol 112, with what its header said."""

    source: IPAddress
    target: IPAddress
    ttl: int
    payload: bytes


def encode(
    advert: Advert,
    source: IPAddress,
    target: IPAddress,
    form: ChecksumForm = ChecksumForm.KEEPALIVED,
) -> bytes:
    """Return the payload of an advert from `source` to `target`.

    `form` matters in version 3 over IPv4 only: keepalived and FRR want the pseudo header there,
    which RFC 9568 5.2.8 leaves out.
    """
    kind = (advert.version << 4) | ADVERTISEMENT
    count, timing = len(advert.addresses), _timing(advert)
    head = _HEAD.pack(kind, advert.vrid, advert.priority, count, timing, 0)
    body = b"".join(address.packed for address in advert.addresses) + _authentication(advert)
    message = head + body
    summed = _summed(message, advert.version, source, target, form)
    return message[:6] + checksum(summed).to_bytes(2, "big") + message[8:]


def _timing(advert: Advert) -> int:
    """Return bytes 4 and 5: the interval in centiseconds, in version 2 PASS and seconds."""
    if advert.version == 3:
        return advert.interval_ms // _CENTISECOND_MS
    kind = _PASS if advert.password is not None else 0
    return (kind << 8) | (advert.interval_ms // _SECOND_MS)


def _authentication(advert: Advert) -> bytes:
    if advert.version == 3:
        return b""
    return (advert.password or "").encode("ascii").ljust(_PASSWORD_BYTES, b"\0")


def _summed(
    message: bytes, version: int, source: IPAddress, target: IPAddress, form: ChecksumForm
) -> bytes:
    """Return what the checksum is taken over (RFC 9568 5.2.8, RFC 3768 5.3.8)."""
    bare = version == 2 or (source.version == 4 and form is ChecksumForm.RFC9568)
    return message if bare else pseudo_header(source, target, VRRP, len(message)) + message


def decode(packet: Packet) -> Advert | Rejection:
    """Read an advert; whatever does not pass every check is refused with the first that fails."""
    payload = packet.payload
    if packet.ttl != TTL:
        return Rejection.TTL
    if len(payload) < _HEAD.size:
        return Rejection.TRUNCATED
    kind, vrid, priority, count, timing, _ = _HEAD.unpack_from(payload)
    version = kind >> 4
    refusal = _shape(packet, version, kind & 0xF, count)
    if refusal is not None:
        return refusal
    interval_ms = _interval_ms(version, timing)
    if interval_ms == 0:
        return Rejection.INTERVAL
    password = _password(payload, timing >> 8) if version == 2 else None
    if isinstance(password, Rejection):
        return password
    return Advert(version, vrid, priority, interval_ms, _addresses(packet, count), password)


def _shape(packet: Packet, version: int, kind: int, count: int) -> Rejection | None:
    if version not in (2, 3) or (version == 2 and packet.source.version == 6):
        return Rejection.VERSION
    if kind != ADVERTISEMENT:
        return Rejection.TYPE
    if count == 0:
        return Rejection.COUNT
    if len(packet.payload) != _length(packet, version, count):
        return Rejection.LENGTH
    return None if _sums_up(packet, version) else Rejection.CHECKSUM


def _length(packet: Packet, version: int, count: int) -> int:
    trailer = _PASSWORD_BYTES if version == 2 else 0
    return _HEAD.size + count * len(packet.source.packed) + trailer


def _sums_up(packet: Packet, version: int) -> bool:
    """Tell whether either form of the checksum is right: both are in use."""
    return any(
        checksum(_summed(packet.payload, version, packet.source, packet.target, form)) == 0
        for form in ChecksumForm
    )


def _interval_ms(version: int, timing: int) -> int:
    if version == 3:
        return (timing & 0x0FFF) * _CENTISECOND_MS
    return (timing & 0xFF) * _SECOND_MS


def _password(payload: bytes, kind: int) -> str | Rejection | None:
    """Return the word of PASS authentication; other kinds are not spoken here."""
    if kind == 0:
        return None
    word = payload[-_PASSWORD_BYTES:].rstrip(b"\0")
    if kind != _PASS or not word.isascii():
        return Rejection.AUTHENTICATION
    return word.decode("ascii")


def _addresses(packet: Packet, count: int) -> tuple[IPAddress, ...]:
    size = len(packet.source.packed)
    make = ipaddress.IPv4Address if size == 4 else ipaddress.IPv6Address
    parts = (_HEAD.size + index * size for index in range(count))
    return tuple(make(packet.payload[at : at + size]) for at in parts)
