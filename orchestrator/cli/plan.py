"""`orchestrator plan`: what would be true with these objects; touches no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask
from orchestrator.cli.cluster import Where, where
from orchestrator.cli.output import print_document, print_table, usage

if TYPE_CHECKING:
    from orchestrator.cli.offline import Stance
    from orchestrator.config.reading import Reading
    from orchestrator.config.source import Source
    from orchestrator.roles.cluster.look import Look


@click.command()
@options.filenames(required=True)
@options.output()
@options.asking
@options.single("--node", default=None, help="Show only this node.")
@options.single("--down", multiple=True, metavar="NODE", help="Treat a node as dead; repeatable.")
@options.single(
    "--against",
    type=click.Path(path_type=Path),
    help="Show the difference to the plan of other files, or `live`: of the running speaker, or of "
    "the objects of a cluster.",
)
def plan(
    filename: tuple[Path, ...],
    *,
    output: str,
    node: str | None,
    down: tuple[str, ...],
    against: Path | None,
    **given: Any,
) -> None:
    """Compute assignments, sessions, routes, owners and verdicts for every node in the files.

    With --against, what differs from the plan of other files (in which no node is --down); exit
    status 1 when anything does. `--against live` asks as `explain` does; what files say nothing of
    (Services, nodes) is then taken from the cluster.
    """
    from orchestrator.cli.failure import REFUSED
    from orchestrator.cli.offline import Stance, load_files, read_sources

    place = where(given)
    calm = Stance((), place.lb_class, place.ignore_exclude_lb)
    question = Question(load_files(filename), place.namespace, replace(calm, down=down))
    before = None
    if against is not None and str(against) == "live":
        before, question = _against_live(place, question)
    elif against is not None:
        before = _document(read_sources(load_files((against,)), place.namespace), calm)
    reading = read_sources(question.sources, place.namespace)
    _warn_of_strangers(reading, (*down, *([node] if node else [])))
    answer = _document(reading, question.stance)
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be planned, and from where it is looked at."""

    sources: Sequence[Source]
    namespace: str
    stance: Stance


def _against_live(place: Where, question: Question) -> tuple[dict[str, Any], Question]:
    """Return the plan of what is there, and the question asked in its place."""
    from orchestrator.cli.offline import stance_of

    if not place.in_cluster:
        before, node = _live(place.socket)
        return before, replace(question, stance=stance_of(before, node, question.stance))
    from orchestrator.roles.cluster.documents import ClusterView

    found = place.look()
    before = ClusterView(found).plan()
    sources = (*question.sources, *_world(found, question))
    local = found.local
    stance = replace(
        question.stance,
        lb_class=local.lb_class,
        ignore_exclude_lb=local.ignore_exclude_label,
    )
    return before, replace(question, sources=sources, stance=stance_of(before, None, stance))


def _world(found: Look, question: Question) -> Sequence[Source]:
    """Return what the cluster has and the files say nothing of, after a word about it."""
    from orchestrator.cli.cluster import rest_of_the_world, tell_unread
    from orchestrator.cli.offline import read_sources

    tell_unread(found)
    world = rest_of_the_world(found, read_sources(question.sources, question.namespace))
    for source in world:
        text = "the files have none: those of the cluster are taken"
        click.echo(f"orchestrator: {source.name}: {text}", err=True)
    return world


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


def _live(socket: Path) -> tuple[dict[str, Any], str]:
    """Return the plan of the running speaker, and the name of its node."""
    from orchestrator.adapters.status_client import get

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
