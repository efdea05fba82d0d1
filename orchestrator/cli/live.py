"""`status`, `sessions`, `routes`, `vips`, `events`: what a running speaker or appliance says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.output import print_document, print_table

Row = Sequence[object]


def _show(
    runtime_dir: Path,
    output: str,
    name: str,
    table: Callable[[Any], None],
) -> None:
    from orchestrator.adapters.status_client import get

    document = ask(lambda: get(runtime_dir / "status.sock", f"/api/v1/{name}"))
    if output == "table":
        table(document)
    else:
        print_document(document, output)


def _items(title: str, keys: Sequence[str], item: Callable[[Any], Row]) -> Callable[[Any], None]:
    def show(document: Any) -> None:
        print_table(title, keys, (item(entry) for entry in document["items"]))

    return show


@click.command()
@options.runtime_dir
@options.output()
def status(runtime_dir: Path, output: str) -> None:
    """Say how the running speaker is: synced, problems, counts."""
    _show(runtime_dir, output, "status", _status_table)


def _status_table(document: Any) -> None:
    plain = ("node", "version", "role", "startedAt", "synced", "configValid", "draining")
    print_table("", ("", ""), ((key, document[key]) for key in plain))
    print_table("", ("count", "number"), document["counts"].items())
    if document["problems"]:
        keys = ("severity", "place", "object", "message", "hint")
        rows: Iterable[Row] = ([p[key] for key in keys] for p in document["problems"])
        print_table("problems", keys, rows)


@click.command()
@options.runtime_dir
@options.output()
def sessions(runtime_dir: Path, output: str) -> None:
    """List the BGP sessions of this node and how they are."""
    keys = ("peer", "address", "AS", "families", "state", "since", "routes d/s/f", "last error")
    _show(runtime_dir, output, "sessions", _items("", keys, _session_row))


def _session_row(item: Any) -> Row:
    return (
        item["peer"],
        f"{item['address']}:{item['port']}",
        f"{item['myASN']} -> {item['peerASN']}",
        ",".join(item["families"]),
        item["state"],
        item["since"],
        "/".join(str(item["routes"][key]) for key in ("desired", "sent", "flushed")),
        item["lastError"],
    )


@click.command()
@options.runtime_dir
@options.output()
def routes(runtime_dir: Path, output: str) -> None:
    """List the routes every peer is to hold from this node, and how far each got."""
    keys = ("peer", "prefix", "next hop", "localPref", "MED", "communities", "state", "services")
    _show(runtime_dir, output, "routes", _items("", keys, _route_row))


def _route_row(item: Any) -> Row:
    return (
        item["peer"],
        item["prefix"],
        item["nextHop"],
        item["localPref"],
        item["med"],
        " ".join(item["communities"] + item["largeCommunities"]),
        item["state"],
        " ".join(item["services"]),
    )


@click.command()
@options.runtime_dir
@options.output()
def vips(runtime_dir: Path, output: str) -> None:
    """List every address with its verdict on this node."""
    keys = ("service", "address", "protocol", "health", "reason", "message", "since", "segments")
    _show(runtime_dir, output, "vips", _items("", keys, _vip_row))


def _vip_row(item: Any) -> Row:
    """Return a VIP as a line; of layer 2 who owns it where, and when each member was heard."""
    keys = ("service", "address", "protocol", "health", "reason", "message", "since")
    segments = "; ".join(map(_segment_words, item["segments"]))
    return (*(item[key] for key in keys), segments)


def _segment_words(segment: Any) -> str:
    members = ", ".join(
        f"{one['node']} {one['state']} {one['lastHeardMs']} ms ago" for one in segment["members"]
    )
    owner = f"{segment['interface']}: {segment['owner'] or 'nobody'}"
    return f"{owner} ({members})" if members else owner


@click.command()
@options.runtime_dir
@options.output()
@click.option("--follow", is_flag=True, help="Go on with events as they happen, a line each.")
def events(runtime_dir: Path, output: str, *, follow: bool) -> None:
    """List the last state changes, newest first."""
    keys = ("time", "kind", "service", "vip", "peer", "old", "new", "reason", "message")
    if not follow:
        table = _items("", keys, lambda item: [item[key] for key in keys])
        _show(runtime_dir, output, "events", table)
        return
    from orchestrator.adapters.status_client import follow_events

    def print_all() -> None:
        for event in follow_events(runtime_dir / "status.sock"):
            words = " ".join(f"{key}={event[key]}" for key in keys if event.get(key))
            click.echo(event["line"] if output == "json" else words)

    ask(print_all)
