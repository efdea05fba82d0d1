"""A difference of two plans for people: a line for each change, as a diff has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from orchestrator.cli.output import painted, usage
from orchestrator.planner.difference import differs

Entry = Mapping[str, Any]

TITLES = {
    "assignments": "Addresses",
    "pools": "Pools",
    "sessions": "Sessions",
    "routes": "Routes",
    "layer2": "Layer 2",
    "verdicts": "Verdicts",
}
_COLOURS = {"-": "red", "+": "green", "~": "yellow"}


def print_difference(found: Mapping[str, Any], parts: Sequence[str] = tuple(TITLES)) -> None:
    """Print `parts` of a difference, and a line that sums them up."""
    for part in parts:
        lines = list(_lines(part, found[part]))
        if lines:
            click.echo(TITLES[part])
        for sign, text in lines:
            click.echo(painted(f"  {sign} {text}", _COLOURS[sign]))
    click.echo(_summary(found) if differs(found) else "no difference")


def _lines(part: str, sides: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, words = _WORDS[part]
    for entry in sides["removed"]:
        yield "-", f"{name(entry)}: {words(entry)}"
    for entry in sides["added"]:
        yield "+", f"{name(entry)}: {words(entry)}"
    for pair in sides["changed"]:
        old, new = words(pair["before"]), words(pair["after"])
        yield "~", f"{name(pair['after'])}: {old} -> {new}"


def _assignment(entry: Entry) -> str:
    if entry["state"] == "assigned":
        return f"{' '.join(entry['addresses'])} ({entry['pool'] or 'no pool'})"
    return f"{entry['state']} ({entry['reason']})"


def _pool(entry: Entry) -> str:
    used = {family: usage(entry[family]) for family in ("ipv4", "ipv6")}
    return ", ".join(f"{family} {words}" for family, words in used.items() if words)


def _session(entry: Entry) -> str:
    return f"{entry['address']}:{entry['port']} AS {entry['myASN']} to {entry['peerASN']}"


def _route(entry: Entry) -> str:
    parts = [f"next hop {entry['nextHop']}"]
    parts += [f"{name} {entry[name]}" for name in ("localPref", "med") if entry[name] is not None]
    for name in ("communities", "largeCommunities", "asPath"):
        if entry[name]:
            parts.append(f"{name} {' '.join(map(str, entry[name]))}")
    return ", ".join(parts)


def _election(entry: Entry) -> str:
    where = "" if entry["interfaces"] is None else f" on {', '.join(entry['interfaces'])}"
    spare = ", ".join(entry["candidates"][1:])
    return f"{entry['owner'] or 'nobody'}{where}{f' (then {spare})' if spare else ''}"


def _verdict(entry: Entry) -> str:
    return str(entry["reason"])


def _verdict_name(entry: Entry) -> str:
    protocol = f" ({entry['protocol']})" if entry["protocol"] else ""
    return f"{entry['service']} {entry['address']} on {entry['node']}{protocol}"


_WORDS: Mapping[str, tuple[Callable[[Entry], str], Callable[[Entry], str]]] = {
    "assignments": (lambda entry: entry["service"], _assignment),
    "pools": (lambda entry: entry["name"], _pool),
    "sessions": (lambda entry: f"{entry['node']} to {entry['peer']}", _session),
    "routes": (lambda entry: f"{entry['node']} to {entry['peer']} {entry['prefix']}", _route),
    "layer2": (lambda entry: f"{entry['service']} {entry['address']}", _election),
    "verdicts": (_verdict_name, _verdict),
}
"""By part: what an entry is called, and what is said of it."""


def _summary(found: Mapping[str, Any]) -> str:
    routes = found["routes"]
    moved = [
        pair
        for part, what in (("assignments", "addresses"), ("layer2", "owner"))
        for pair in found[part]["changed"]
        if pair["before"][what] and pair["before"][what] != pair["after"][what]
    ]
    return (
        f"routes: {len(routes['added'])} announced, {len(routes['removed'])} withdrawn, "
        f"{len(routes['changed'])} changed; addresses and owners moved: {len(moved)}"
    )
