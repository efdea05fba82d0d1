"""`orchestrator plan`: what would be true with these objects; touches no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.output import print_document, print_table, usage

if TYPE_CHECKING:
    from orchestrator.cli.offline import Stance
    from orchestrator.config.reading import Reading


@click.command()
@options.filenames(required=True)
@options.output()
@options.namespace
@options.service_selection
@options.single("--node", default=None, help="Show only this node.")
@options.single("--down", multiple=True, metavar="NODE", help="Treat a node as dead; repeatable.")
@options.single(
    "--against",
    type=click.Path(path_type=Path),
    help="Show the difference to the plan of other files, or `live`: of the running speaker.",
)
@options.runtime_dir
def plan(
    filename: tuple[Path, ...],
    *,
    output: str,
    namespace: str,
    lb_class: str | None,
    ignore_exclude_lb: bool,
    node: str | None,
    down: tuple[str, ...],
    against: Path | None,
    runtime_dir: Path,
) -> None:
    """Compute assignments, sessions, routes, owners and verdicts for every node in the files.

    With --against, what differs from the plan of other files (in which no node is --down); exit
    status 1 when anything does.
    """
    from orchestrator.cli.failure import REFUSED
    from orchestrator.cli.offline import Stance, read_files, stance_of

    calm = Stance((), lb_class, ignore_exclude_lb)
    stance = replace(calm, down=down)
    before = None
    if against is not None and str(against) == "live":
        before, live_node = _live(runtime_dir)
        stance = stance_of(before, live_node, stance)
    elif against is not None:
        before = _document(read_files((against,), namespace), calm)
    reading = read_files(filename, namespace)
    _warn_of_strangers(reading, (*down, *([node] if node else [])))
    answer = _document(reading, stance)
    if before is not None:
        _print_difference(_only(before, node), _only(answer, node), output)
    elif output != "table":
        print_document(_only(answer, node), output)
    else:
        _print_plan(_only(answer, node))
        if down:
            _print_takeover(_document(reading, calm), answer)
    if not reading.valid:
        raise SystemExit(REFUSED)


def _document(reading: Reading, stance: Stance) -> dict[str, Any]:
    """Return the plan of what was read."""
    from orchestrator.cli.offline import plan_offline
    from orchestrator.planner.document import plan_document

    return plan_document(plan_offline(reading, stance), reading.policy, reading.problems)


def _warn_of_strangers(reading: Reading, names: tuple[str, ...]) -> None:
    """Say which nodes of the command line there are not, since they change nothing."""
    known = sorted(reading.cluster.nodes)
    for name in names:
        if known and name not in known:
            text = f"there is no such node; there are: {', '.join(known)}"
            click.echo(f"orchestrator: {name}: {text}", err=True)


def _live(runtime_dir: Path) -> tuple[dict[str, Any], str]:
    """Return the plan of the running speaker, and the name of its node."""
    from orchestrator.adapters.status_client import get

    socket = runtime_dir / "status.sock"
    return ask(lambda: (get(socket, "/api/v1/plan"), get(socket, "/api/v1/status")["node"]))


def _only(document: dict[str, Any], node: str | None) -> dict[str, Any]:
    """Keep of the parts that are per node what concerns `node`."""
    if node is None:
        return document
    parts = ("sessions", "routes", "verdicts")
    return {
        key: [item for item in value if item["node"] == node] if key in parts else value
        for key, value in document.items()
    }


COLUMNS = {
    "problems": ("severity", "place", "object", "message", "hint"),
    "pools": ("name", "ipv4", "ipv6"),
    "assignments": ("service", "state", "addresses", "pool", "origin", "reason", "message"),
    "sessions": ("node", "peer", "address", "port", "myASN", "peerASN", "families"),
    "routes": ("node", "peer", "prefix", "nextHop", "localPref", "med", "communities"),
    "layer2": ("service", "address", "owner", "candidates", "interfaces"),
    "verdicts": ("service", "address", "node", "protocol", "reason", "message"),
}


def _print_plan(document: dict[str, Any]) -> None:
    from orchestrator.cli.difference import TITLES

    for part, columns in COLUMNS.items():
        if document[part]:
            rows = ([_cell(entry[column]) for column in columns] for entry in document[part])
            print_table(TITLES.get(part, "Problems"), columns, rows)


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return usage(value)
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _print_difference(before: dict[str, Any], after: dict[str, Any], output: str) -> None:
    """Print what differs between two plans; status 1 when anything does."""
    from orchestrator.cli.difference import print_difference
    from orchestrator.cli.failure import REFUSED
    from orchestrator.planner.difference import difference, differs

    found = difference(before, after)
    if output == "table":
        print_difference(found)
    else:
        print_document({"version": 1, "problems": after["problems"], **found}, output)
    if differs(found):
        raise SystemExit(REFUSED)


def _print_takeover(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print who takes over from the nodes that are down."""
    from orchestrator.cli.difference import print_difference
    from orchestrator.planner.difference import difference

    print_difference(difference(before, after), ("layer2", "routes"))
