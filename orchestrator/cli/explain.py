"""`orchestrator explain`: why an address is announced, or why not."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.cluster import Where, where
from orchestrator.cli.failure import REFUSED, fail
from orchestrator.cli.output import print_document, print_table


@click.command()
@click.argument("target")
@options.filenames()
@options.output()
@options.asking
def explain(target: str, *, filename: tuple[Path, ...], output: str, **given: Any) -> None:
    """Follow TARGET (VIP, NAMESPACE/SERVICE, virtualip/NAME, virtualrouter/NAME) from assignment to the router.

    With -f offline, from files; without, the running speaker is asked, or with --kubeconfig or
    --context, or where no speaker runs, a cluster. Exit status 1 when it is not announced.
    """
    place = where(given)
    if filename:
        document = _offline(target, filename, place)
    elif place.in_cluster:
        document = _in_cluster(target, place)
    else:
        document = ask(lambda: _live(target, place.socket))
    if output == "table":
        _print(document)
    else:
        print_document(document, output)
    if not any(node["announced"] for node in document["nodes"]):
        raise SystemExit(REFUSED)


def _offline(target: str, filename: tuple[Path, ...], place: Where) -> dict[str, Any]:
    from orchestrator.cli.offline import Stance, plan_offline, read_files
    from orchestrator.planner.explain import explain as explain_plan

    reading = read_files(filename, place.namespace)
    cluster = reading.cluster
    planned = plan_offline(reading, Stance((), place.lb_class, place.ignore_exclude_lb))
    nodes = tuple(sorted(cluster.nodes)) or (platform.node(),)
    explanation = explain_plan(planned, target, nodes, {})
    if explanation is None:
        fail(target, "no Service or VirtualIP in these files has it", REFUSED)
    return explanation.document()


def _in_cluster(target: str, place: Where) -> dict[str, Any]:
    document = place.view().explain(target)
    if document is None:
        fail(target, "no Service in this cluster has it", REFUSED)
    return document


def _live(target: str, socket: Path) -> Any:
    from orchestrator.adapters.status_client import NotFoundError, get

    path = f"/api/v1/explain/{quote(target, safe='/:')}"
    try:
        return get(socket, path)
    except NotFoundError as error:
        fail(target, error.message, REFUSED)


def _print(document: dict[str, Any]) -> None:
    click.echo(document["answer"])
    for (protocol, *rows), names in _alike(document["nodes"]).items():
        title = f"{', '.join(names)} ({protocol or 'no protocol'})"
        print_table(title, ("step", "", "reason", "message"), rows)


def _alike(nodes: Iterable[Any]) -> Mapping[tuple[Any, ...], Sequence[str]]:
    """Return protocol and links of each chain, with the nodes that have the same."""
    found: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for node in nodes:
        links = (
            (step["step"], "ok" if step["ok"] else "NO", step["reason"], step["message"])
            for step in node["steps"]
        )
        found[(node["protocol"], *links)].append(node["node"])
    return found
