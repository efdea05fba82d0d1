"""What the reconciler needs from whatever holds the BGP sessions: one small protocol.

ExaBGP is behind it today (`adapters.exabgp_link.ExaBGPLink`); another speaker of BGP can be put
behind it without the reconciler knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from orchestrator.model.address import IPNetwork
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Problem
from orchestrator.model.route import Rib
from orchestrator.model.session_state import RouteStatus, SessionState


class Backend(Protocol):
    """Holds BGP sessions and brings every peer's adj-rib-out to what is wanted.

    Nothing is sent, withdrawn or closed before the first `want`: what a predecessor left stays
    until it is known what should be (DESIGN 12, P7).
    """

    on_change: Callable[[], None]
    """Called (in the event loop) after the state of a session or the progress of routes changed."""

    @property
    def reachable(self) -> bool:
        """Tell whether the program that holds the sessions answers."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What of the wanted sessions and routes cannot be done, and why."""
        ...

    def want(self, sessions: Sequence[Session], ribs: Mapping[str, Rib]) -> None:
        """Take the whole desired state of this node; `ribs` are by the name of the peer.

        Sessions and routes that are not in it are removed. Cheap when nothing changed.
        """
        ...

    def sessions(self) -> Mapping[str, SessionState]:
        """State of every wanted session by peer name; `since` is on the monotonic clock, seconds."""
        ...

    def route_status(self, peer: str, prefix: IPNetwork) -> RouteStatus:
        """How far the desired route for `prefix` got towards `peer`."""
        ...

    def extended_next_hops(self, peers: Iterable[Peer]) -> frozenset[str]:
        """Names of those that take IPv4 routes with an IPv6 next hop (RFC 8950), or yet may.

        While it is not known, such a route waits, and what a predecessor left of it stays.
        """
        ...

    def holding(self) -> frozenset[IPNetwork]:
        """Prefixes that any peer may still have from us: announced, or not yet surely withdrawn."""
        ...

    async def run(self) -> None:
        """Keep at it until cancelled; raises nothing for what the other side does."""
        ...
