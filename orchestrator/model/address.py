"""Addresses, address families and inclusive address ranges."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Interface: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface
"""An address with the length of its subnet."""


class Family(IntEnum):
    """Address family; the value is the IP version, so `Family(address.version)` works."""

    IPV4 = 4
    IPV6 = 6

    def __str__(self) -> str:
        return f"ipv{self.value}"

    @property
    def host_length(self) -> int:
        """Prefix length of a single host: 32 or 128."""
        return 32 if self is Family.IPV4 else 128


def family_of(value: IPAddress | IPNetwork) -> Family:
    """Return the family of an address or network."""
    return Family.IPV4 if value.version == 4 else Family.IPV6


@dataclass(frozen=True, slots=True)
class AddressRange:
    """All addresses from `first` to `last`, both included and of one family.

    `mask_length` is the shortest prefix length among the CIDRs the range is made of: an
    advertisement may not aggregate wider than that (MetalLB, config.go).
    """

    first: IPAddress
    last: IPAddress
    mask_length: int

    @property
    def family(self) -> Family:
        """Family of both ends."""
        return family_of(self.first)

    @property
    def size(self) -> int:
        """Number of addresses."""
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
            return False
        inside = int(self.first) <= int(address) <= int(self.last)
        return address.version == self.first.version and inside

    def overlaps(self, other: AddressRange) -> bool:
        """Tell whether the two ranges share an address."""
        if self.family is not other.family:
            return False
        return int(self.first) <= int(other.last) and int(other.first) <= int(self.last)
