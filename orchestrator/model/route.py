"""BGP routes as they are to be in a peer's adj-rib-out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.model.address import IPAddress, IPNetwork
from orchestrator.model.community import Community, LargeCommunity


@dataclass(frozen=True, slots=True)
class PathAttributes:
    """Path attributes of a route as they go out to one peer.

    `next_hop` None is the session's own address. `local_pref` None leaves the default (100) and
    is only sent on iBGP (RFC 4271 5.1.5). `as_path` empty is the protocol's own path; otherwise it
    is sent as it stands, so on eBGP the own AS comes first. Tuples are sorted and without repeats.
    """

    next_hop: IPAddress | None = None
    local_pref: int | None = None
    med: int | None = None
    communities: tuple[Community, ...] = ()
    large_communities: tuple[LargeCommunity, ...] = ()
    as_path: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix with its attributes; `services` (who needs it) is not part of its identity."""

    prefix: IPNetwork
    attributes: PathAttributes
    services: tuple[str, ...] = field(default=(), compare=False)


Rib: TypeAlias = Mapping[IPNetwork, Route]
"""One desired adj-rib-out: every route that one peer is to hold from this node."""
