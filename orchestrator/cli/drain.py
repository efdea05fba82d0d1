"""`drain` and `undrain`: take this router VM out of service, and back."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask


def _control(runtime_dir: Path, node: str | None, target: str) -> str:
    """Make the control request, after a look whether the running speaker is of `node`."""
    from orchestrator.adapters.status_client import get, post
    from orchestrator.cli.failure import REFUSED, fail

    socket = runtime_dir / "status.sock"
    own = ask(lambda: get(socket, "/api/v1/status")["node"]) if node else None
    if node != own:
        fail(f"node {node}", f"the speaker that answers here is of node {own}", REFUSED)
    return str(ask(lambda: post(socket, f"/control/{target}")["phase"]))


@click.command()
@click.argument("node", required=False)
@click.option(
    "--wait",
    type=click.FloatRange(0, 86400),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="From graceful-shutdown to withdrawn.",
)
@options.runtime_dir
def drain(node: str | None, wait: float, runtime_dir: Path) -> None:
    """Make the routes of this node unattractive, and withdraw them after a while.

    NODE, where given, must be the node whose speaker runs here.
    """
    phase = _control(runtime_dir, node, f"drain?wait={wait}")
    click.echo(f"draining: {phase}")


@click.command()
@click.argument("node", required=False)
@options.runtime_dir
def undrain(node: str | None, runtime_dir: Path) -> None:
    """Take a drain back."""
    _control(runtime_dir, node, "undrain")
    click.echo("not draining")
