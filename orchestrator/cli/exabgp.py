"""`orchestrator exabgp`: the role that holds the BGP sessions."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.long_running
def exabgp(**given: Any) -> None:
    """Keep ExaBGP and its relay running; TERM withdraws every route first."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.exabgp import ExaBGPRole

    settings = options.process_settings(**given)
    run_role("exabgp", settings, lambda: ExaBGPRole(settings).run())
