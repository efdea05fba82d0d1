"""`orchestrator explain`: why an address is announced, or why not."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.failure import REFUSED, fail
from orchestrator.cli.output import print_document, print_table


@click.command()
@click.argument("target")
@options.filenames()
@options.output()
@options.namespace
@options.service_selection
@options.runtime_dir
def explain(
    target: str,
    *,
    filename: tuple[Path, ...],
    output: str,
    namespace: str,
    lb_class: str | None,
    ignore_exclude_lb: bool,
    runtime_dir: Path,
) -> None:
    """Follow TARGET (VIP, NAMESPACE/SERVICE, virtualip/NAME, virtualrouter/NAME) from assignment to the router.

    With -f offline, from files; without, the running speaker is asked. Exit status 1 when it is not
    announced.
    """
    if filename:
        document = _offline(target, filename, namespace, lb_class, ignore=ignore_exclude_lb)
    else:
        document = ask(lambda: _live(target, runtime_dir))
    if output == "table":
        _print(document)
    else:
        print_document(document, output)
    if not any(node["announced"] for node in document["nodes"]):
        raise SystemExit(REFUSED)


def _offline(
    target: str, filename: tuple[Path, ...], namespace: str, lb_class: str | None, *, ignore: bool
) -> dict[str, Any]:
    from orchestrator.cli.offline import Stance, plan_offline, read_files
    from orchestrator.planner.explain import explain as explain_plan

    reading = read_files(filename, namespace)
    cluster = reading.cluster
    planned = plan_offline(reading, Stance((), lb_class, ignore))
    nodes = tuple(sorted(cluster.nodes)) or (platform.node(),)
    explanation = explain_plan(planned, target, nodes, {})
    if explanation is None:
        fail(target, "no Service or VirtualIP in these files has it", REFUSED)
    return explanation.document()


def _live(target: str, runtime_dir: Path) -> Any:
    from orchestrator.adapters.status_client import NotFoundError, get

    path = f"/api/v1/explain/{quote(target, safe='/:')}"
    try:
        return get(runtime_dir / "status.sock", path)
    except NotFoundError as error:
        fail(target, error.message, REFUSED)


def _print(document: dict[str, Any]) -> None:
    click.echo(document["answer"])
    for node in document["nodes"]:
        title = f"{node['node']} ({node['protocol'] or 'no protocol'})"
        rows = (
            (step["step"], "ok" if step["ok"] else "NO", step["reason"], step["message"])
            for step in node["steps"]
        )
        print_table(title, ("step", "", "reason", "message"), rows)
