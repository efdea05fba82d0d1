"""Text that means something: addresses, ranges, durations, communities.

Every parser returns the meaning or raises ValueError with the reason, in words that complete
"... is not an address: ".
"""

from __future__ import annotations

import ipaddress
import re
import warnings

from orchestrator.model.address import AddressRange, Family, Interface, IPAddress, family_of
from orchestrator.model.community import Community, LargeCommunity

_SECOND = 10**9
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(r"[-+]?(?:0|(?:[0-9]*(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|m|h))+)")
_DIGITS = re.compile(r"[0-9]+")


def parse_address(text: str) -> IPAddress:
    """Parse an IPv4 or IPv6 address without zone; an IPv4-mapped IPv6 address is refused."""
    if "%" in text:
        raise ValueError("an address with a zone (%) is not read here")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("write it like 192.0.2.1 or 2001:db8::1") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"write it as {address.ipv4_mapped}")
    return address


def parse_ipv4(text: str) -> IPAddress:
    """Parse an IPv4 address."""
    address = parse_address(text)
    if address.version != 4:
        raise ValueError("it must be IPv4")
    return address


def parse_host_address(text: str) -> IPAddress:
    """Parse an address that one host can have: not 0.0.0.0, `::` or multicast."""
    address = parse_address(text)
    if address.is_unspecified or address.is_multicast:
        raise ValueError("no host can have this address")
    return address


def parse_virtual_address(text: str) -> IPAddress:
    """Parse an address that can be announced: a host's, but not loopback or link-local."""
    address = parse_host_address(text)
    if address.is_loopback or address.is_link_local:
        raise ValueError("an address of loopback or link-local scope cannot be announced")
    return address


def parse_interface(text: str) -> Interface:
    """Parse an address with the length of its subnet, `192.0.2.1/24`; without one it is alone."""
    address_text, slash, length_text = text.partition("/")
    address = parse_host_address(address_text)
    if address.is_loopback:
        raise ValueError("an address of loopback scope cannot be announced")
    length = _length(length_text, family_of(address)) if slash else address.max_prefixlen
    return ipaddress.ip_interface((address, length))


def parse_pattern(text: str) -> str:
    """Check that `text` is a regular expression whose meaning is clear."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError, Warning) as error:
            raise ValueError(str(error)) from None
    return text


def parse_range(text: str) -> AddressRange:
    """Parse a pool's entry: `192.0.2.0/24` (host bits are masked off) or `FIRST-LAST`."""
    if "-" in text:
        first, last = (part.strip() for part in text.split("-", 1))
        return _span(parse_address(first), parse_address(last))
    if "/" not in text:
        raise ValueError("write a single address with /32 or /128")
    return _network(text)


def _network(text: str) -> AddressRange:
    address_text, length_text = text.split("/", 1)
    address = parse_address(address_text.strip())
    length = _length(length_text, family_of(address))
    network = ipaddress.ip_network((address, length), strict=False)
    return AddressRange(network[0], network[-1], network.prefixlen)


def _length(text: str, family: Family) -> int:
    longest = family.host_length
    if not _DIGITS.fullmatch(text) or len(text) > 3 or int(text) > longest:
        raise ValueError(f"the length after / must be 0 to {longest}")
    return int(text)


def _span(first: IPAddress, last: IPAddress) -> AddressRange:
    if first.version != last.version:
        raise ValueError("its ends are of different families")
    if int(first) > int(last):
        raise ValueError(f"it ends at {last}, before its start")
    if isinstance(first, ipaddress.IPv4Address) and isinstance(last, ipaddress.IPv4Address):
        lengths = [part.prefixlen for part in ipaddress.summarize_address_range(first, last)]
    else:
        assert isinstance(first, ipaddress.IPv6Address)
        assert isinstance(last, ipaddress.IPv6Address)
        lengths = [part.prefixlen for part in ipaddress.summarize_address_range(first, last)]
    return AddressRange(first, last, min(lengths))


def parse_duration(text: str) -> int:
    """Parse a duration in Go's notation (`90s`, `1m30s`, `1.5h`); returns nanoseconds."""
    if not text or len(text) > 64 or not _DURATION.fullmatch(text):
        raise ValueError("write it with a unit, such as 90s or 1m30s")
    total = 0
    for whole, fraction, unit in _PART.findall(text):
        if not whole and not fraction:
            raise ValueError("a number is missing before the unit")
        scale = _UNITS[unit]
        total += int(whole or 0) * scale
        total += int(fraction or 0) * scale // 10 ** len(fraction)
    return -total if text.startswith("-") else total


def whole_seconds(duration_ns: int) -> int:
    """Cut a duration to seconds, towards zero, as MetalLB does with BGP timers."""
    return duration_ns // _SECOND if duration_ns >= 0 else -(-duration_ns // _SECOND)


def parse_community(text: str) -> Community | LargeCommunity:
    """Parse `A:B` (RFC 1997, 16 bits each) or `large:A:B:C` (RFC 8092, 32 bits each)."""
    marker, *large = text.split(":")
    if marker == "large" and len(large) == 3:
        return LargeCommunity(*(_section(part, 32) for part in large))
    parts = text.split(":")
    if len(parts) == 2:
        return Community(*(_section(part, 16) for part in parts))
    raise ValueError("write A:B, or large:A:B:C for a large community")


def _section(text: str, bits: int) -> int:
    largest = (1 << bits) - 1
    if not _DIGITS.fullmatch(text) or len(text) > 20 or int(text) > largest:
        raise ValueError(f"each number must be 0 to {largest}")
    return int(text)


def looks_like_community(text: str) -> bool:
    """Tell whether text is meant as a community's value rather than as the name of an alias."""
    return ":" in text or _DIGITS.fullmatch(text) is not None


def family_name(family: Family) -> str:
    """Family as people write it: IPv4 or IPv6."""
    return f"IPv{family.value}"
