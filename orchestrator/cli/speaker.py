"""`orchestrator speaker`: reads, plans and streams routes to ExaBGP."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.filenames(required=True)
@options.long_running
def speaker(**given: Any) -> None:
    """Plan from these files and keep ExaBGP's routes equal to the plan, until TERM."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.speaker import Speaker

    settings = options.process_settings(**given)
    run_role("speaker", settings, lambda: Speaker(settings).run())
