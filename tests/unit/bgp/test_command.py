"""Text of commands to ExaBGP."""

from __future__ import annotations

import ipaddress
import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.bgp import command
from orchestrator.bgp.wire import Link
from orchestrator.model.address import Family
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.route import PathAttributes

IBGP = Link(ipaddress.ip_address("10.0.0.1"), 64500, 64500, (Family.IPV4,))
EBGP = Link(ipaddress.ip_address("fd00::1"), 64500, 64501, tuple(Family))
P1, P2 = (ipaddress.ip_network(f"192.0.2.{number}/32") for number in (1, 2))
WORDS_OF_COMMANDS = ("graceful-shutdown", "shutdown ", "reset ", "restart ", "reload ", "help ")
NUMBERS = st.integers(0, 2**32 - 1)
HALVES = st.integers(0, 2**16 - 1)
ATTRIBUTES = st.builds(
    PathAttributes,
    next_hop=st.none() | st.ip_addresses(),
    local_pref=st.none() | NUMBERS,
    med=st.none() | NUMBERS,
    communities=st.lists(st.builds(Community, HALVES, HALVES)).map(tuple),
    large_communities=st.lists(st.builds(LargeCommunity, NUMBERS, NUMBERS, NUMBERS)).map(tuple),
    as_path=st.lists(NUMBERS).map(tuple),
)


def test_one_route() -> None:
    """A single route names exactly one neighbor and its attributes as numbers."""
    attributes = PathAttributes(
        next_hop=ipaddress.ip_address("10.0.0.2"),
        local_pref=200,
        med=5,
        communities=(Community(65535, 0),),
        large_communities=(LargeCommunity(1, 2, 3),),
    )
    assert command.announce(IBGP, attributes, [P1]) == (
        "neighbor 10.0.0.1 local-as 64500 peer-as 64500 announce route 192.0.2.1/32 "
        "next-hop 10.0.0.2 med 5 local-preference 200 community [ 65535:0 ] "
        "large-community [ 1:2:3 ]"
    )


def test_several_routes_share_a_line() -> None:
    """Prefixes with equal attributes go in one line; on eBGP there is no local preference."""
    attributes = PathAttributes(local_pref=5, as_path=(64500, 64500))
    assert command.announce(EBGP, attributes, [P1, P2]) == (
        "neighbor fd00::1 local-as 64500 peer-as 64501 announce attributes next-hop self "
        "as-path [ 64500 64500 ] nlri 192.0.2.1/32 192.0.2.2/32"
    )


def test_withdraws() -> None:
    """A withdraw names prefixes only."""
    chosen = "neighbor 10.0.0.1 local-as 64500 peer-as 64500"
    assert command.withdraw(IBGP, [P1]) == f"{chosen} withdraw route 192.0.2.1/32"
    many = command.withdraw(IBGP, [P1, P2])
    assert many == f"{chosen} withdraw attributes nlri 192.0.2.1/32 192.0.2.2/32"


def test_end_of_rib_names_the_family() -> None:
    """End-of-RIB is for one family, since ExaBGP takes none for IPv4."""
    assert command.end_of_rib(EBGP, Family.IPV6).endswith("announce eor ipv6 unicast")


@given(ATTRIBUTES, st.lists(st.ip_addresses(v=4).map(ipaddress.ip_network), min_size=1))
def test_lines_hold_nothing_but_numbers_and_known_words(
    attributes: PathAttributes, prefixes: list[ipaddress.IPv4Network]
) -> None:
    """Whatever the values, a line is printable ASCII on one line without a word that is a command."""
    line = command.announce(IBGP, attributes, prefixes)
    assert re.fullmatch(r"[ -~]+", line)
    assert not any(word in f"{line} " for word in WORDS_OF_COMMANDS)
    words = set(re.findall(r"[a-z][a-z-]+", re.sub(r"[0-9a-f]*:[0-9a-f:]*", "", line)))
    known = "neighbor local-as peer-as announce route attributes nlri next-hop self med as-path"
    assert words <= {*known.split(), "local-preference", "community", "large-community"}
