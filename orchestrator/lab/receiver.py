"""R1 of the demo on loopback addresses: keeps what a receiving ExaBGP tells in a file.

Run by ExaBGP as `python -m orchestrator.lab.receiver FILE`; it reads ExaBGP's JSON events from standard input and
after each one replaces FILE with `{"up": [peer], "paths": {peer: {prefix: path}}}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Table = dict[str, Any]


def empty() -> Table:
    """Return the table before anything was heard."""
    return {"up": [], "paths": {}}


def learn(table: Table, event: dict[str, Any]) -> Table:
    """Return the table after one event of ExaBGP."""
    neighbor = event.get("neighbor", {})
    peer = neighbor.get("address", {}).get("peer", "")
    if event.get("type") == "state":
        return _after_state(table, peer, neighbor.get("state"))
    update = neighbor.get("message", {}).get("update")
    return _after_update(table, peer, update) if update else table


def _after_state(table: Table, peer: str, state: str | None) -> Table:
    others = [address for address in table["up"] if address != peer]
    if state == "up":
        return {**table, "up": sorted([*others, peer])}
    if state == "down":
        paths = {other: routes for other, routes in table["paths"].items() if other != peer}
        return {"up": others, "paths": paths}
    return table


def _after_update(table: Table, peer: str, update: dict[str, Any]) -> Table:
    routes = dict(table["paths"].get(peer, {}))
    for gone in update.get("withdraw", {}).get("ipv4 unicast", []):
        routes.pop(_prefix(gone), None)
    attributes = update.get("attribute", {})
    for next_hop, announced in update.get("announce", {}).get("ipv4 unicast", {}).items():
        path = {
            "nextHop": next_hop,
            "localPref": attributes.get("local-preference", 100),
            "communities": [":".join(map(str, pair)) for pair in attributes.get("community", [])],
        }
        routes |= {_prefix(route): path for route in announced}
    return {**table, "paths": {**table["paths"], peer: routes}}


def _prefix(route: Any) -> str:
    return str(route["nlri"]) if isinstance(route, dict) else str(route)


def main() -> None:
    """Follow the events until ExaBGP closes the pipe."""
    target = Path(sys.argv[1])
    table = empty()
    for line in sys.stdin:
        try:
            event = json.loads(line)
        except ValueError:  # an acknowledgement, not an event
            continue
        table = learn(table, event)
        temporary = target.with_suffix(".new")
        temporary.write_text(json.dumps(table), encoding="utf-8")
        temporary.replace(target)


if __name__ == "__main__":
    main()
