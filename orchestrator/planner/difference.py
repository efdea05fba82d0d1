"""The difference of two plans, as documents: what was removed, added and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Part(NamedTuple):
    """How entries of one part of a plan are told apart, and what about them counts as a change.

    What only says how something came about (events, messages, who needs a route) does not count.
    """

    identity: tuple[str, ...]
    content: tuple[str, ...]


PARTS: Mapping[str, Part] = {
    "assignments": Part(("service",), ("state", "addresses", "pool", "reason")),
    "pools": Part(("name",), ("ipv4", "ipv6")),
    "sessions": Part(("node", "peer"), ("address", "port", "myASN", "peerASN", "ibgp", "families")),
    "routes": Part(
        ("node", "peer", "prefix"),
        ("nextHop", "localPref", "med", "communities", "largeCommunities", "asPath"),
    ),
    "layer2": Part(("service", "address"), ("owner", "candidates", "interfaces")),
    "verdicts": Part(("service", "address", "node", "protocol"), ("reason",)),
}


def difference(before: Document, after: Document) -> dict[str, Any]:
    """Return, by part, the entries `removed`, `added`, and `changed` as pairs of before and after.

    Both are plans as `plan_document` makes them; equal plans give empty lists only.
    """
    return {name: _of_part(part, before[name], after[name]) for name, part in PARTS.items()}


def _of_part(part: Part, before: Sequence[Document], after: Sequence[Document]) -> dict[str, Any]:
    old = {_values(entry, part.identity): entry for entry in before}
    new = {_values(entry, part.identity): entry for entry in after}
    return {
        "removed": [entry for key, entry in old.items() if key not in new],
        "added": [entry for key, entry in new.items() if key not in old],
        "changed": [
            {"before": old[key], "after": entry}
            for key, entry in new.items()
            if key in old and _values(old[key], part.content) != _values(entry, part.content)
        ],
    }


def _values(entry: Document, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in names)


def differs(found: Mapping[str, Any]) -> bool:
    """Tell whether a difference has any entry."""
    return any(entries for part in found.values() for entries in part.values())
