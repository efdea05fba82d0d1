"""`orchestrator relay`: the process that ExaBGP runs; for anyone else it is of no use by hand."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command()
@click.option(
    "--runtime-dir",
    type=click.Path(path_type=Path),
    default=Path("/run/orchestrator"),
    envvar="ORCHESTRATOR_RUNTIME_DIR",
    show_default=True,
    show_envvar=True,
    help="Directory of the socket that speakers connect to.",
)
@click.option(
    "--orphan-hold",
    type=click.FloatRange(min=0),
    default=600.0,
    envvar="ORCHESTRATOR_ORPHAN_HOLD",
    show_default=True,
    show_envvar=True,
    help="Seconds without a speaker after which everything is withdrawn; 0 is for ever.",
)
def relay(runtime_dir: Path, orphan_hold: float) -> None:
    """Join ExaBGP's pipes (standard input and output) to a Unix socket."""
    from orchestrator.adapters import relay as adapter

    os.environ["ORCHESTRATOR_RUNTIME_DIR"] = str(runtime_dir)
    os.environ["ORCHESTRATOR_ORPHAN_HOLD"] = str(orphan_hold)
    raise SystemExit(adapter.main())
