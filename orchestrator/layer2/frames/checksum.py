"""The Internet checksum (RFC 1071), with the pseudo headers of IPv4 and IPv6."""

from __future__ import annotations

from orchestrator.model.address import IPAddress

VRRP = 112
"""Protocol number of VRRP (RFC 9568 5.1)."""
ICMPV6 = 58
"""Protocol number of ICMPv6 (RFC 4443)."""


def checksum(data: bytes) -> int:
    """Return the ones' complement of the ones' complement sum of 16-bit words.

    Data that holds a right checksum sums up to 0.
    """
    if len(data) % 2:
        data += b"\0"
    # Carries are added back in, so the sum is the remainder by 0xFFFF; only zeros sum up to 0.
    number = int.from_bytes(data, "big")
    total = number % 0xFFFF or (0xFFFF if number else 0)
    return total ^ 0xFFFF


def pseudo_header(source: IPAddress, target: IPAddress, protocol: int, length: int) -> bytes:
    """Return what is summed before the message: RFC 768 for IPv4, RFC 8200 8.1 for IPv6."""
    addresses = source.packed + target.packed
    if source.version == 4:
        return addresses + bytes((0, protocol)) + length.to_bytes(2, "big")
    return addresses + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))
