"""Keeps IPv4 routes with an IPv6 next hop out of sessions that did not negotiate them (RFC 8950).

When a session comes up again ExaBGP 5.0.15 replays what it holds for the peer, without a look at
what was negotiated this time. Measured: it then fails on its own UPDATE and ends the session, 40
times a second, until the route is withdrawn. So such a route is left out, as ExaBGP does with
routes of a family that was not negotiated. Runs inside ExaBGP, put there by the launcher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from exabgp.bgp.message import Action
from exabgp.bgp.message.update import Update
from exabgp.protocol.family import AFI


def keep_back_what_was_not_negotiated() -> None:
    """Have every UPDATE made from now on leave out what the session does not carry."""
    made: Callable[..., Iterator[Any]] = Update.messages

    def messages(update: Update, negotiated: Any, include_withdraw: bool = True) -> Iterator[Any]:
        fit = [one for one in update.nlris if _is_fit(one, negotiated)]
        whole = len(fit) == len(update.nlris)
        return made(
            update if whole else Update(fit, update.attributes), negotiated, include_withdraw
        )

    Update.messages = messages


def _is_fit(nlri: Any, negotiated: Any) -> bool:
    """Tell whether a session carries one route; a withdraw has no next hop."""
    extended = nlri.afi == AFI.ipv4 and nlri.nexthop.afi == AFI.ipv6
    if not extended or nlri.action == Action.WITHDRAW:
        return True
    return (nlri.afi, nlri.safi, AFI.ipv6) in negotiated.nexthop
