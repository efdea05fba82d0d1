"""`drain` and `undrain`: take this router VM out of service, and back."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli import options


def _control(runtime_dir: Path, target: str) -> str:
    from orchestrator.adapters.errors import AdapterError
    from orchestrator.adapters.status_client import post
    from orchestrator.cli.failure import fail

    try:
        return str(post(runtime_dir / "status.sock", f"/control/{target}")["phase"])
    except AdapterError as error:
        fail(error.place, error.message)


@click.command()
@click.option(
    "--wait",
    type=click.FloatRange(0, 86400),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="From graceful-shutdown to withdrawn.",
)
@options.runtime_dir
def drain(wait: float, runtime_dir: Path) -> None:
    """Make the routes of this node unattractive, and withdraw them after a while."""
    phase = _control(runtime_dir, f"drain?wait={wait}")
    click.echo(f"draining: {phase}")


@click.command()
@options.runtime_dir
def undrain(runtime_dir: Path) -> None:
    """Take a drain back."""
    _control(runtime_dir, "undrain")
    click.echo("not draining")
