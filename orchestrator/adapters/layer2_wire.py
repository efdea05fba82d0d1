"""What speaker and layer2 role say to each other: one JSON object a line, versioned (DESIGN 8.4).

The speaker sends `Update`s, of which the last of a series has `more` false: only then is it acted
on. The role answers with `News`. Both send all of it after connecting (`reset`), then what changed,
in pieces, so that no line takes long to read: the role has timers to keep.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.layer2_report import Lateness, OwnerReport, RouterReport, SegmentReport
from orchestrator.model.settings import Membership, Transport

VERSION = 1
"""Version of this conversation; one of another version is ended, with a word in the log."""
PIECE = 256
"""Most addresses in one line."""


class WireWish(msgspec.Struct, omit_defaults=True):
    """`model.layer2_desired.Wish`; `candidates` are places in the `names` of the same line."""

    address: str
    key: str
    wanted: bool
    score: int = 0
    interfaces: list[str] | None = None
    candidates: list[int] | None = None


class Surroundings(msgspec.Struct):
    """All of `model.layer2_desired.Desired` but its wishes, and what else the role is to know."""

    node: str
    vrid: int
    interval_ms: int
    preempt_delay_ms: int
    keys: list[bytes]
    transport: str
    peers: dict[str, list[str]]
    check_addresses: list[str]
    complete: bool
    fresh: bool
    named_interfaces: list[str]
    internal_addresses: list[str]
    shares: bool
    excluded_interfaces: list[str]
    health: dict[str, bool | None]


class Update(msgspec.Struct):
    """A piece of what should be. `routers` are documents of `adapters.layer2_routers`."""

    version: int = VERSION
    reset: bool = False
    more: bool = False
    surroundings: Surroundings | None = None
    routers: list[dict[str, Any]] | None = None
    names: list[str] = []
    wishes: list[WireWish] = []
    gone: list[str] = []


class OwnerNews(msgspec.Struct):
    """The news of one address on one segment."""

    address: str
    owner: OwnerReport


class Happened(msgspec.Struct, omit_defaults=True):
    """A change of state that is worth an event; `kind` is vip, member, segment or virtualRouter."""

    kind: str
    old: str
    new: str
    interface: str = ""
    address: str = ""
    about: str = ""
    message: str = ""


class Overview(msgspec.Struct):
    """What is sent whole each time."""

    segments: tuple[SegmentReport, ...]
    routers: tuple[RouterReport, ...]
    refused: dict[str, dict[str, int]]
    failovers: int
    step_backs: int
    lateness: Lateness
    limits: tuple[str, ...]


class News(msgspec.Struct):
    """A piece of what is. `gone` are pairs of interface and address."""

    version: int = VERSION
    reset: bool = False
    more: bool = False
    overview: Overview | None = None
    owners: list[OwnerNews] = []
    gone: list[tuple[str, str]] = []
    events: list[Happened] = []


class Greeting(msgspec.Struct):
    """The version alone, read before the rest."""

    version: int = 0


def line(message: Update | News) -> bytes:
    """Return a message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def pieces(changed: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut into lists of at most `PIECE`."""
    rest = iter(changed)
    while piece := list(islice(rest, PIECE)):
        yield piece


def surroundings(
    desired: Desired,
    membership: Membership,
    excluded_interfaces: Sequence[str],
    health: Mapping[str, bool | None],
) -> Surroundings:
    """Put down everything but the wishes."""
    return Surroundings(
        node=desired.node,
        vrid=desired.vrid,
        interval_ms=membership.interval_ms,
        preempt_delay_ms=membership.preempt_delay_ms,
        keys=list(desired.keys),
        transport=desired.transport.value,
        peers={node: list(map(str, found)) for node, found in sorted(desired.peers.items())},
        check_addresses=list(map(str, desired.check_addresses)),
        complete=desired.complete,
        fresh=desired.fresh,
        named_interfaces=sorted(desired.named_interfaces),
        internal_addresses=sorted(map(str, desired.internal_addresses)),
        shares=desired.shares,
        excluded_interfaces=list(excluded_interfaces),
        health=dict(sorted(health.items())),
    )


def desired_of(
    around: Surroundings,
    wishes: Iterable[Wish],
    gateways: Mapping[str, tuple[IPAddress, ...]],
) -> Desired:
    """Read it back; ValueError when an address is none."""
    return Desired(
        node=around.node,
        vrid=around.vrid,
        interval_s=around.interval_ms / 1000,
        preempt_delay_s=around.preempt_delay_ms / 1000,
        keys=tuple(around.keys),
        transport=Transport(around.transport),
        peers={node: _addresses(found) for node, found in around.peers.items()},
        check_addresses=_addresses(around.check_addresses),
        gateways=gateways,
        complete=around.complete,
        fresh=around.fresh,
        wishes=tuple(wishes),
        named_interfaces=frozenset(around.named_interfaces),
        internal_addresses=frozenset(_addresses(around.internal_addresses)),
        shares=around.shares,
    )


def _addresses(texts: Iterable[str]) -> tuple[IPAddress, ...]:
    return tuple(map(ipaddress.ip_address, texts))


def wire_wishes(wishes: Iterable[Wish]) -> tuple[list[str], list[WireWish]]:
    """Put wishes down, with the names of nodes once."""
    places: dict[str, int] = {}
    found = [_wire_wish(wish, places) for wish in wishes]
    return list(places), found


def _wire_wish(wish: Wish, places: dict[str, int]) -> WireWish:
    order = wish.candidates
    return WireWish(
        str(wish.address),
        str(wish.key),
        wish.wanted,
        wish.score,
        None if wish.interfaces is None else sorted(wish.interfaces),
        None if order is None else [places.setdefault(name, len(places)) for name in order],
    )


def wishes_of(update: Update) -> Iterator[Wish]:
    """Read wishes back; ValueError or IndexError when they are not as they should be."""
    names = update.names
    for wish in update.wishes:
        order = wish.candidates
        yield Wish(
            ipaddress.ip_address(wish.address),
            ipaddress.ip_address(wish.key),
            wish.wanted,
            wish.score,
            None if wish.interfaces is None else frozenset(wish.interfaces),
            None if order is None else tuple(names[place] for place in order),
        )
