"""Routes as they are on the wire of one session."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from orchestrator.bgp.wire import Link
from orchestrator.model.address import Family
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.route import PathAttributes, Route

ADDRESS = ipaddress.ip_address
OWN = ADDRESS("10.0.0.2")


def link(peer_asn: int = 64500, **fields: Any) -> Link:
    """A session of AS 64500 with 10.0.0.1."""
    given = {"families": (Family.IPV4,), "local_address": OWN, **fields}
    return Link(ADDRESS("10.0.0.1"), 64500, peer_asn, **given)


def refusal(to: Link, prefix: str = "192.0.2.1/32", **attributes: Any) -> str | None:
    """Why a route with these attributes cannot be sent."""
    return to.refusal(Route(ipaddress.ip_network(prefix), PathAttributes(**attributes)))


def test_ibgp_defaults_are_explicit() -> None:
    """On iBGP the next hop is our end, local preference is 100, the path is empty."""
    found = link().canonical(PathAttributes())
    assert found == PathAttributes(next_hop=OWN, local_pref=100)


def test_ebgp_defaults_are_explicit() -> None:
    """On eBGP the path is our AS, and there is no local preference even when one is given."""
    found = link(64501).canonical(PathAttributes(local_pref=50))
    assert found == PathAttributes(next_hop=OWN, as_path=(64500,))


def test_communities_are_a_set() -> None:
    """The order and the number of times that communities are named make no difference."""
    one, two = Community(1, 2), Community(65535, 0)
    assert link().canonical(PathAttributes(communities=(two, one, two))).communities == (one, two)


def test_routes_that_fit_are_not_refused() -> None:
    """A plain route is sent, as is one with the largest numbers."""
    assert refusal(link()) is None
    large = LargeCommunity(2**32 - 1, 0, 1)
    assert refusal(link(), med=2**32 - 1, large_communities=(large,)) is None


@pytest.mark.parametrize(
    ("to", "fields", "words"),
    [
        (link(), {"prefix": "2001:db8::1/128"}, "does not carry ipv6"),
        (link(families=tuple(Family)), {"prefix": "2001:db8::1/128"}, "no ipv6 next hop"),
        (link(), {"next_hop": ADDRESS("2001:db8::2")}, "no ipv4 next hop"),
        (link(64501), {"as_path": (64501,)}, "does not begin with the own AS 64500"),
        (link(), {"med": 2**32}, "MED 4294967296 is not"),
        (link(), {"local_pref": -1}, "local preference -1 is not"),
        (link(), {"communities": (Community(65536, 0),)}, "65536 is not a 16-bit"),
        (link(), {"large_communities": (LargeCommunity(0, 0, 2**32),)}, "large community"),
        (link(), {"as_path": (2**32,)}, "AS number"),
    ],
)
def test_routes_that_cannot_be_sent_say_why(to: Link, fields: dict[str, Any], words: str) -> None:
    """What would be an error of ExaBGP, or a useless route, is refused with its reason."""
    assert words in str(refusal(to, **fields))
