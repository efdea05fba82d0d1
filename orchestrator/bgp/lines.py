"""Which queued changes share one command, and what such a line weighs in the window."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.bgp import command
from orchestrator.bgp.wire import Change, Link
from orchestrator.model.address import IPNetwork
from orchestrator.model.route import PathAttributes

SCAN_LIMIT = 200
"""Queued changes that are looked through for equal attributes, to share a line."""

Withdraws = Mapping[IPNetwork, None]
Announces = Mapping[IPNetwork, PathAttributes]


@dataclass(frozen=True, slots=True)
class Line:
    """One command and the changes that it makes."""

    text: str
    changes: tuple[Change, ...]

    @property
    def weight(self) -> int:
        """Share of the window: 40 single commands, or four lines of 100 (reference 4)."""
        return 1 + len(self.changes) // 11


def next_line(
    link: Link, withdraws: Withdraws, announces: Announces, singly: Collection[IPNetwork]
) -> Line | None:
    """Make the next line, withdraws first; the prefixes of `singly` have a line each."""
    if withdraws:
        gone = _alike(withdraws, singly)
        changes = tuple(Change(prefix, None) for prefix in gone)
        return Line(command.withdraw(link, gone), changes)
    if announces:
        prefixes = _alike(announces, singly)
        attributes = announces[prefixes[0]]
        changes = tuple(Change(prefix, attributes) for prefix in prefixes)
        return Line(command.announce(link, attributes, prefixes), changes)
    return None


def _alike(queue: Withdraws | Announces, singly: Collection[IPNetwork]) -> list[IPNetwork]:
    """Take the first of `queue` with those behind it that fit into the same line."""
    first = next(iter(queue))
    if first in singly:
        return [first]
    found: list[IPNetwork] = []
    for scanned, (prefix, attributes) in enumerate(queue.items()):
        if scanned == SCAN_LIMIT or len(found) == command.PREFIXES_PER_LINE:
            break
        fits = prefix.version == first.version and attributes == queue[first]
        if fits and prefix not in singly:
            found.append(prefix)
    return found
