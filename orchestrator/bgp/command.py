"""Text of the commands ExaBGP takes from its process: typed values in, ASCII lines out.

Numbers only: ExaBGP looks for its command words anywhere in a line, so a name such as
`graceful-shutdown` in a community list would shut it down (DESIGN 5, rule 4). Lines carry no line
end.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.bgp.wire import Link
from orchestrator.model.address import Family, IPAddress, IPNetwork
from orchestrator.model.route import PathAttributes

SHOW_NEIGHBORS = "show neighbor json"
SHOW_CONFIGURATION = "show neighbor configuration"
SHOW_ADJ_RIB_OUT = "show adj-rib out json"
CLEAR_ADJ_RIB_OUT = "clear adj-rib out"
RELOAD = "reload"

PREFIXES_PER_LINE = 100
"""Measured best size of an `attributes ... nlri` line (reference/exabgp.md 4)."""

TEARDOWN_SUBCODE = 4
"""Cease, administrative reset (RFC 4486)."""


def selector(link: Link) -> str:
    """Name exactly one neighbor: its address and both AS numbers."""
    return f"neighbor {link.address} local-as {link.local_asn} peer-as {link.peer_asn}"


def show_adj_rib_out(address: IPAddress) -> str:
    """Ask for the adj-rib-out of the peers whose address begins as `address` does."""
    return f"{SHOW_ADJ_RIB_OUT} {address}"


def announce(link: Link, attributes: PathAttributes, prefixes: Sequence[IPNetwork]) -> str:
    """Announce `prefixes` (at least one, all of one family) with the same attributes."""
    if len(prefixes) == 1:
        return f"{selector(link)} announce route {prefixes[0]} {_attributes(link, attributes)}"
    nlri = " ".join(str(prefix) for prefix in prefixes)
    return f"{selector(link)} announce attributes {_attributes(link, attributes)} nlri {nlri}"


def withdraw(link: Link, prefixes: Sequence[IPNetwork]) -> str:
    """Withdraw `prefixes` (at least one, all of one family)."""
    if len(prefixes) == 1:
        return f"{selector(link)} withdraw route {prefixes[0]}"
    nlri = " ".join(str(prefix) for prefix in prefixes)
    return f"{selector(link)} withdraw attributes nlri {nlri}"


def end_of_rib(link: Link, family: Family) -> str:
    """Send End-of-RIB for `family` (RFC 4724 section 2)."""
    return f"{selector(link)} announce eor {family} unicast"


def teardown(link: Link) -> str:
    """Reset the session; ExaBGP connects again by itself."""
    return f"{selector(link)} teardown {TEARDOWN_SUBCODE}"


def _attributes(link: Link, attributes: PathAttributes) -> str:
    words = [f"next-hop {attributes.next_hop or 'self'}"]
    if attributes.med is not None:
        words.append(f"med {attributes.med}")
    if attributes.local_pref is not None and link.ibgp:
        words.append(f"local-preference {attributes.local_pref}")
    if attributes.as_path:
        words.append(f"as-path [ {' '.join(map(str, attributes.as_path))} ]")
    if attributes.communities:
        words.append(f"community [ {' '.join(map(str, attributes.communities))} ]")
    if attributes.large_communities:
        words.append(f"large-community [ {' '.join(map(str, attributes.large_communities))} ]")
    return " ".join(words)
