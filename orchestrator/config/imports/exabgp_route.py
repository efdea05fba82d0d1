"""Routes of an ExaBGP neighbor: prefixes with the attributes they are announced with."""

from __future__ import annotations

import ipaddress
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from orchestrator.config.imports.blocks import Statement
from orchestrator.model.community import Community

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Lose: TypeAlias = Callable[[int, str, str], None]

_UINT32 = re.compile(r"[0-9]{1,10}")
_STANDARD = re.compile(r"[0-9]{1,5}:[0-9]{1,5}")
_LARGE = re.compile(r"[0-9]{1,10}:[0-9]{1,10}:[0-9]{1,10}")
_WELL_KNOWN = {
    "no-export": "65535:65281",
    "no-advertise": "65535:65282",
    "no-export-subconfed": "65535:65283",
    "nopeer": "65535:65284",
    "no-peer": "65535:65284",
    "blackhole": "65535:666",
}
_FLAGS = frozenset({"withdraw", "atomic-aggregate"})
_MOST_PREPENDED = 16
_CLOSING = {"[": "]", "(": ")"}


@dataclass(frozen=True, slots=True, order=True)
class Attributes:
    """What a route is announced with, as far as it can be said here; 0 and empty mean nothing."""

    next_hop: str = ""
    med: int = -1
    local_pref: int = 0
    prepend: int = 0
    communities: tuple[str, ...] = ()


class Route(NamedTuple):
    """One prefix of one neighbor."""

    line: int
    prefix: Network
    attributes: Attributes


class Session(NamedTuple):
    """What of a neighbor decides about the meaning of its routes."""

    own_as: int
    peer_as: int
    local_address: str


def routes(statements: Iterable[Statement], session: Session, lose: Lose) -> Iterator[Route]:
    """Find the routes in `static` and `announce` blocks; what has no place goes to `lose`."""
    for statement in statements:
        if statement.name == "static":
            yield from _in_block(statement, ("route", "attributes"), session, lose)
        elif statement.name == "announce":
            for family in statement.inner:
                yield from _in_block(family, ("unicast", "attributes"), session, lose)


def _in_block(
    block: Statement, names: tuple[str, ...], session: Session, lose: Lose
) -> Iterator[Route]:
    for entry in block.inner:
        if entry.name in names:
            yield from _route(entry, session, lose)
        else:
            lose(entry.line, entry.text(), "only unicast routes are announced")


def _route(entry: Statement, session: Session, lose: Lose) -> Iterator[Route]:
    words = [*entry.rest, *(word for inner in entry.inner for word in inner.words)]
    if entry.name == "attributes":
        cut = words.index("nlri") if "nlri" in words else len(words)
        texts, words = words[cut + 1 :], words[:cut]
    else:
        texts, words = words[:1], words[1:]
    reader = _Attributes(entry, session, lose)
    attributes = reader.read(words)
    for text in texts if attributes is not None else ():
        prefix = _prefix(text)
        if prefix is None:
            lose(entry.line, text, "is not a prefix")
        elif attributes is not None:
            yield Route(entry.line, prefix, reader.suited(attributes, prefix))


def _prefix(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


class _Attributes:
    """Reads the attributes of one route."""

    def __init__(self, entry: Statement, session: Session, lose: Lose) -> None:
        self._entry = entry
        self._session = session
        self._lose = lose
        self._found: dict[str, Any] = {}
        self._standing = True

    def read(self, words: Sequence[str]) -> Attributes | None:
        """Return the attributes; None when the route as a whole has no place."""
        rest = deque(words)
        while rest:
            name = rest.popleft()
            self._take(name, [] if name in _FLAGS else _value(rest))
        return Attributes(**self._found) if self._standing else None

    def _note(self, what: str, why: str) -> None:
        self._lose(self._entry.line, f"{' '.join(self._entry.words[:2])}: {what}", why)

    def _take(self, name: str, value: list[str]) -> None:
        taker = _TAKERS.get(name)
        if taker is not None:
            taker(self, value)
        elif name in ("withdraw", "watchdog"):
            self._standing = False
            self._note(name, "a route that is not announced at the start is not carried over")
        elif name == "split":
            self._standing = False
            self._note(" ".join((name, *value)), "write the prefixes out")
        elif name != "origin" or value != ["igp"]:
            self._note(" ".join((name, *value)), "cannot be set here")

    def _number(self, name: str, value: list[str]) -> int | None:
        if len(value) == 1 and _UINT32.fullmatch(value[0]) and int(value[0]) < 2**32:
            return int(value[0])
        self._note(" ".join((name, *value)), "is not a number of 32 bits")
        return None

    def next_hop(self, value: list[str]) -> None:
        """Take the next hop; this node's own is none."""
        text = value[0] if value else ""
        if text not in ("self", self._session.local_address):
            self._found["next_hop"] = text

    def med(self, value: list[str]) -> None:
        """Take MULTI_EXIT_DISC."""
        number = self._number("med", value)
        if number is not None:
            self._found["med"] = number

    def local_preference(self, value: list[str]) -> None:
        """Take LOCAL_PREF, which goes over iBGP only."""
        number = self._number("local-preference", value)
        if number is not None and self._session.own_as == self._session.peer_as:
            self._found["local_pref"] = number

    def community(self, value: list[str]) -> None:
        """Take standard communities."""
        for word in value:
            text = _standard(word)
            if text:
                self._communities(text)
            else:
                self._note(f"community {word}", "write it as A:B")

    def large_community(self, value: list[str]) -> None:
        """Take large communities."""
        for word in value:
            if _LARGE.fullmatch(word):
                self._communities(f"large:{word}")
            else:
                self._note(f"large-community {word}", "write it as A:B:C")

    def _communities(self, text: str) -> None:
        known = {*self._found.get("communities", ()), text}
        self._found["communities"] = tuple(sorted(known))

    def as_path(self, value: list[str]) -> None:
        """Take a path of the own AS only as so many times put in front."""
        own = str(self._session.own_as)
        external = self._session.own_as != self._session.peer_as
        if not value:
            return
        if external and set(value) == {own} and len(value) <= _MOST_PREPENDED + 1:
            self._found["prepend"] = len(value) - 1
        else:
            why = f"only the own AS is put in front, on eBGP sessions, at most {_MOST_PREPENDED} times"
            self._note(f"as-path {' '.join(value)}", why)

    def suited(self, attributes: Attributes, prefix: Network) -> Attributes:
        """Return attributes without a next hop that the prefix cannot have."""
        if not attributes.next_hop:
            return attributes
        try:
            same = ipaddress.ip_address(attributes.next_hop).version == prefix.version
        except ValueError:
            same = False
        if same:
            return attributes
        why = f"is no next hop for {prefix}: this node's own address is used"
        self._note(f"next-hop {attributes.next_hop}", why)
        return replace(attributes, next_hop="")


_TAKERS: dict[str, Callable[[_Attributes, list[str]], None]] = {
    "next-hop": _Attributes.next_hop,
    "med": _Attributes.med,
    "local-preference": _Attributes.local_preference,
    "community": _Attributes.community,
    "large-community": _Attributes.large_community,
    "as-path": _Attributes.as_path,
}


def _value(rest: deque[str]) -> list[str]:
    """Take an attribute's value off the words: one word, or a list in brackets."""
    if not rest:
        return []
    first = rest.popleft()
    closing = _CLOSING.get(first)
    if closing is None:
        return [first]
    taken: list[str] = []
    while rest:
        word = rest.popleft()
        if word == closing:
            break
        taken.append(word)
    return taken


def _standard(word: str) -> str:
    """Write a standard community as A:B; nothing when it is none."""
    if word in _WELL_KNOWN:
        return _WELL_KNOWN[word]
    if _STANDARD.fullmatch(word):
        return word
    if _UINT32.fullmatch(word) and int(word) < 2**32:
        return str(Community(int(word) >> 16, int(word) & 0xFFFF))
    return ""
