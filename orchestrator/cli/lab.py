"""`orchestrator lab`: a containerlab topology file in network namespaces of this host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.lab.topology import Topology

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def lab() -> None:
    """Run a containerlab topology file with the programs of this host, without containers."""


@lab.command()
@FILE
def up(file: Path) -> None:
    """Bring the nodes and links of FILE up, and leave them up."""
    from orchestrator.lab.runner import Lab

    with _failures(file):
        topology = _load(file)
        running = Lab(topology, _directory(topology), detached=True)
        running.up()
    for result in running.exec_results:
        if result.returncode or result.output:
            status = f" (status {result.returncode})" if result.returncode else ""
            click.echo(f"{result.node}: {' '.join(result.argv)}{status}\n{result.output}".rstrip())
    for name, node in running.nodes.items():
        click.echo(f"{topology.container(name)} is up, pid {node.pid}")
    click.echo(f"enter a node: orchestrator lab exec {file} NODE COMMAND   logs: {running.workdir}")


@lab.command()
@FILE
def down(file: Path) -> None:
    """Take the lab of FILE down, also one whose runner was killed."""
    from orchestrator.lab.runner import remove_logs, take_down

    with _failures(file):
        topology = _load(file)
        ended = take_down(topology, _directory(topology))
        remove_logs(topology, _directory(topology))
    click.echo(f"{', '.join(ended)} ended" if ended else f"lab {topology.name} was not up")


@lab.command("exec", context_settings={"ignore_unknown_options": True})
@FILE
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(file: Path, node: str, command: tuple[str, ...]) -> None:
    """Run COMMAND in NODE of the lab of FILE, in this terminal; its status is ours."""
    from orchestrator.cli.failure import fail
    from orchestrator.lab.runner import attach

    with _failures(file):
        topology = _load(file)
        nodes = attach(topology, _directory(topology))
    if node not in nodes:
        known = f"it has {', '.join(topology.nodes)}" if nodes else f"orchestrator lab up {file}"
        fail(str(file), f"node {node} is not up: {known}")
    argv = nodes[node].enter_argv(command)
    os.execvpe(argv[0], argv, nodes[node].env)  # noqa: S606 - it is to take this process's place


def _load(file: Path) -> Topology:
    from orchestrator.lab.topology_file import load_topology

    return load_topology(file)


def _directory(topology: Topology) -> Path:
    """Return the place for logs: beside the topology file, where containerlab puts its own."""
    return topology.directory / f"clab-{topology.name}"


@contextmanager
def _failures(file: Path) -> Iterator[None]:
    """Turn what keeps a lab from working into lines for the operator and an exit status."""
    from orchestrator.cli.failure import IMPOSSIBLE, REFUSED, fail
    from orchestrator.lab.runner import LabError
    from orchestrator.lab.topology import TopologyError

    try:
        yield
    except TopologyError as error:
        for problem in error.problems:
            click.echo(f"orchestrator: {problem}", err=True)
        raise SystemExit(REFUSED if file.exists() else IMPOSSIBLE) from None
    except (LabError, OSError) as error:
        fail(str(file), str(error))
