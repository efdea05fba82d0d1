"""Lines that ExaBGP 5.0.15 writes to its process: JSON events, answers to queries, `done`/`error`.

Nothing here raises on any line: what is not understood is `Other`, and what is malformed in part is
left out, since a line must change nothing but itself (DESIGN 12, P8).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orchestrator.bgp.wire import Change
from orchestrator.model.address import Family, IPAddress, IPNetwork
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.route import PathAttributes

PARSE_ERRORS = (
    AttributeError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What taking apart a line of the wrong shape can raise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of the answer to one command; they come in the order of the commands."""

    ok: bool


@dataclass(frozen=True, slots=True)
class StateEvent:
    """A session changed: `up`, `down` or `connected` (which means nothing: also when refused)."""

    peer: IPAddress
    state: str
    local: IPAddress | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UpdateSent:
    """An UPDATE is being written to the peer's socket: the barrier of DESIGN 5, rule 2."""

    peer: IPAddress
    changes: tuple[Change, ...]
    end_of_rib: Family | None = None
    extended_next_hop: bool | None = None
    """As in `Negotiated`; None where the configuration does not ask for it."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both OPENs agree on, told right before `up` and with every UPDATE."""

    peer: IPAddress
    extended_next_hop: bool
    """Whether IPv4 routes may have an IPv6 next hop (RFC 8950)."""


@dataclass(frozen=True, slots=True)
class NotificationEvent:
    """A NOTIFICATION (RFC 4271 6) went out or came in."""

    peer: IPAddress
    received: bool
    code: int
    subcode: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    """ExaBGP is about to end."""


@dataclass(frozen=True, slots=True)
class NeighborState:
    """One session of `show neighbor json`."""

    peer: IPAddress
    up: bool
    local: IPAddress | None = None
    families: tuple[Family, ...] = ()
    """What both sides agreed to carry; routes of other families are dropped by ExaBGP."""


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The answer to `show neighbor json`."""

    states: tuple[NeighborState, ...]


@dataclass(frozen=True, slots=True)
class ShownRoute:
    """One route of `show adj-rib out json`: what ExaBGP means a peer to hold."""

    peer: IPAddress
    change: Change


@dataclass(frozen=True, slots=True)
class ConfigurationLine:
    """A line of `show neighbor configuration` that names a neighbor or its description."""

    neighbor: IPAddress | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """Any other line; its text is kept short, for logs."""

    text: str = field(default="")


Event: TypeAlias = (
    Answer
    | StateEvent
    | UpdateSent
    | Negotiated
    | NotificationEvent
    | ShuttingDown
    | Neighbors
    | ShownRoute
    | ConfigurationLine
    | Other
)

ANSWERS = {"done": Answer(ok=True), "error": Answer(ok=False)}
EXTENDED_NEXT_HOP = "ipv4 unicast ipv6"
"""How ExaBGP writes it among what was negotiated."""
OTHER_LENGTH = 200
LINE_LIMIT = 64 << 20
"""Bytes without a line end that are taken for nonsense."""


def parse(line: str) -> Event:
    """Read one line (without its end); never raises."""
    text = line.strip()
    if text in ANSWERS:
        return ANSWERS[text]
    try:
        if text.startswith(("{", "[")):
            return _json(json.loads(text))
        return _text(text)
    except PARSE_ERRORS:
        return Other(text[:OTHER_LENGTH])


def _text(text: str) -> Event:
    words = text.split()
    if len(words) == 3 and words[0] == "neighbor" and words[2] == "{":
        return ConfigurationLine(neighbor=ipaddress.ip_address(words[1]))
    if len(words) == 2 and words[0] == "description":
        return ConfigurationLine(description=words[1].strip('";'))
    return Other(text[:OTHER_LENGTH])


def _json(body: Any) -> Event:
    if isinstance(body, list):
        return Neighbors(tuple(_neighbors(body)))
    if "route" in body:
        return _shown(body)
    kind = body["type"]
    if kind == "notification" and body.get("notification") == "shutdown":
        return ShuttingDown()
    reader = READERS.get(kind)
    return Other(str(kind)[:OTHER_LENGTH]) if reader is None else reader(body["neighbor"])


def _neighbors(body: list[Any]) -> Iterator[NeighborState]:
    for one in body:
        try:
            peer = ipaddress.ip_address(one["peer"]["address"])
            yield NeighborState(
                peer=peer,
                # its "state" is "down" for the first second, since it is made of whole seconds
                up=one["fsm"] == "ESTABLISHED",
                local=address_or_none(one["local"]["address"]),
                families=tuple(f for f in Family if f"{f} unicast" in one["families"]),
            )
        except PARSE_ERRORS:
            continue


def _shown(body: Any) -> Event:
    peer = ipaddress.ip_address(body["peer"]["address"])
    route = body["route"]
    nlri, attributes = route["nlri"], route["attributes"]
    hop = address_or_none(nlri["nexthop"])
    return ShownRoute(
        peer, Change(ipaddress.ip_network(nlri["prefix"]), _attributes(attributes, hop))
    )


def _state(neighbor: Any) -> Event:
    addresses = neighbor["address"]
    return StateEvent(
        peer=ipaddress.ip_address(addresses["peer"]),
        state=str(neighbor["state"]),
        local=address_or_none(addresses["local"]),
        reason=str(neighbor.get("reason", "")),
    )


def _notification(neighbor: Any) -> Event:
    notice = neighbor["notification"]
    return NotificationEvent(
        peer=ipaddress.ip_address(neighbor["address"]["peer"]),
        received=neighbor.get("direction") == "receive",
        code=int(notice["code"]),
        subcode=int(notice["subcode"]),
        text=str(notice.get("message", "")),
    )


def _update(neighbor: Any) -> Event:
    if neighbor["direction"] != "send":
        return Other("update received")
    peer = ipaddress.ip_address(neighbor["address"]["peer"])
    extended = _has_extended(neighbor) if "negotiated" in neighbor else None
    message = neighbor["message"]
    if "eor" in message:
        family = Family.IPV6 if message["eor"]["afi"] == "ipv6" else Family.IPV4
        return UpdateSent(peer, (), family, extended)
    update = message["update"]
    withdrawn = (
        Change(prefix, None)
        for routes in update.get("withdraw", {}).values()
        for prefix in _prefixes(routes)
    )
    changes = (*withdrawn, *_announced(update))
    return UpdateSent(peer, changes, extended_next_hop=extended)


def _negotiated(neighbor: Any) -> Event:
    return Negotiated(ipaddress.ip_address(neighbor["address"]["peer"]), _has_extended(neighbor))


def _has_extended(neighbor: Any) -> bool:
    return EXTENDED_NEXT_HOP in neighbor["negotiated"]["nexthop"]


READERS: Mapping[str, Callable[[Any], Event]] = {
    "state": _state,
    "update": _update,
    "negotiated": _negotiated,
    "notification": _notification,
}
"""What reads the event of each type that matters."""


def _announced(update: Any) -> Iterator[Change]:
    for by_hop in update.get("announce", {}).values():
        for hop, routes in by_hop.items():
            attributes = _attributes(update.get("attribute", {}), address_or_none(hop))
            for prefix in _prefixes(routes):
                yield Change(prefix, attributes)


def _prefixes(routes: Iterable[Any]) -> Iterator[IPNetwork]:
    for route in routes:
        yield ipaddress.ip_network(route["nlri"])


def _attributes(body: Any, hop: IPAddress | None) -> PathAttributes:
    return PathAttributes(
        next_hop=hop,
        local_pref=_number(body.get("local-preference")),
        med=_number(body.get("med")),
        communities=tuple(sorted(Community(*pair) for pair in _parts(body, "community", 2))),
        large_communities=tuple(
            sorted(LargeCommunity(*three) for three in _parts(body, "large-community", 3))
        ),
        as_path=_as_path(body.get("as-path", {})),
    )


def _parts(body: Any, key: str, count: int) -> Iterator[tuple[int, ...]]:
    """Numbers of communities: lists in events, `1:2` texts in answers to queries."""
    for one in body.get(key, ()):
        numbers = tuple(int(part) for part in (one.split(":") if isinstance(one, str) else one))
        if len(numbers) == count:
            yield numbers


def _as_path(body: Any) -> tuple[int, ...]:
    segments = [body[key] for key in sorted(body, key=int)]
    return tuple(int(asn) for segment in segments for asn in segment["value"])


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def address_or_none(value: Any) -> IPAddress | None:
    """Read an address; ExaBGP writes `None` for one it does not know yet."""
    try:
        return ipaddress.ip_address(str(value))
    except ValueError:
        return None
