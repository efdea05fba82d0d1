"""`status`, `sessions`, `routes`, `vips`, `events`: what a running speaker says, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.cluster import Where, where
from orchestrator.cli.output import print_document, print_table, usage

Row = Sequence[object]
Table = Callable[[Any], None]


def _document(name: str, place: Where) -> Any:
    """Ask the cluster, or the speaker that runs here."""
    if place.in_cluster:
        return getattr(place.view(), name)()
    from orchestrator.adapters.status_client import get

    return ask(lambda: get(place.socket, f"/api/v1/{name}"))


def _show(document: Any, output: str, table: Table) -> None:
    if output == "table":
        table(document)
    else:
        print_document(document, output)


def _print_items(place: Where, keys: Sequence[str], item: Callable[[Any], Row]) -> Table:
    """Return what prints items; of a cluster, each with its node."""
    if not place.in_cluster:
        return lambda found: print_table("", keys, map(item, found["items"]))
    columns = ("node", *keys)
    return lambda found: print_table(
        "", columns, ((entry["node"], *item(entry)) for entry in found["items"])
    )


@click.command()
@options.asking
@options.output()
def status(output: str, **given: Any) -> None:
    """Say how the running speaker is: synced, problems, counts; or a cluster: nodes and pools.

    A cluster is asked with --kubeconfig or --context, or where no speaker runs.
    """
    place = where(given)
    table = _cluster_table if place.in_cluster else _status_table
    _show(_document("status", place), output, table)


def _cluster_table(document: Any) -> None:
    rows: Iterable[Row] = map(_node_row, document["nodes"])
    keys = ("node", "version", "sessions up", "routes d/s/f", "owned", "draining", "last error")
    print_table("nodes", keys, rows)
    pools = ([pool["name"], usage(pool["ipv4"]), usage(pool["ipv6"])] for pool in document["pools"])
    print_table("pools", ("pool", "ipv4", "ipv6"), pools)
    print_table("", ("count", "number"), document["counts"].items())
    _print_problems(document["problems"])


def _node_row(node: Any) -> Row:
    return (
        node["node"],
        _speaker(node),
        f"{node['sessionsUp']} of {node['sessions']}",
        "/".join(str(node[name]) for name in ("routesDesired", "routesSent", "routesFlushed")),
        node["owned"],
        "yes" if node["draining"] else None,
        node["lastError"],
    )


def _speaker(node: Any) -> str:
    """Return the version of a node's speaker, and whether that is silent."""
    if node["version"] is None:
        return "no speaker"
    return str(node["version"] if node["heard"] else f"{node['version']} (silent)")


def _status_table(document: Any) -> None:
    plain = ("node", "version", "role", "startedAt", "synced", "configValid", "draining")
    print_table("", ("", ""), ((key, document[key]) for key in plain))
    print_table("", ("count", "number"), document["counts"].items())
    _print_problems(document["problems"])


def _print_problems(problems: Any) -> None:
    if problems:
        keys = ("severity", "place", "object", "message", "hint")
        print_table("problems", keys, ([one[key] for key in keys] for one in problems))


@click.command()
@options.asking
@options.output()
def sessions(output: str, **given: Any) -> None:
    """List the BGP sessions of this node, or of a cluster and how they are."""
    keys = ("peer", "address", "AS", "families", "state", "since", "routes d/s/f", "last error")
    place = where(given)
    _show(_document("sessions", place), output, _print_items(place, keys, _session_row))


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
@options.asking
@options.output()
def routes(output: str, **given: Any) -> None:
    """List the routes every peer is to hold from this node, or from each of a cluster, and how far each got."""
    keys = ("peer", "prefix", "next hop", "localPref", "MED", "communities", "state", "services")
    place = where(given)
    _show(_document("routes", place), output, _print_items(place, keys, _route_row))


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
@options.asking
@options.output()
def vips(output: str, **given: Any) -> None:
    """List every address with its verdict on this node, or on each of a cluster."""
    keys = ("service", "address", "protocol", "health", "reason", "message", "since", "segments")
    place = where(given)
    _show(_document("vips", place), output, _print_items(place, keys, _vip_row))


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
    from orchestrator.adapters.status_client import follow_events, get

    keys = ("time", "kind", "service", "vip", "peer", "old", "new", "reason", "message")
    if not follow:
        found = ask(lambda: get(runtime_dir / "status.sock", "/api/v1/events"))
        rows: Iterable[Row] = ([item[key] for key in keys] for item in found["items"])
        _show(found, output, lambda _found: print_table("", keys, rows))
        return

    def print_all() -> None:
        for event in follow_events(runtime_dir / "status.sock"):
            words = " ".join(f"{key}={event[key]}" for key in keys if event.get(key))
            click.echo(event["line"] if output == "json" else words)

    ask(print_all)
