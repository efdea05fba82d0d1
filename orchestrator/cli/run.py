"""`orchestrator run`: the static appliance, every role under one supervisor, from files."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.filenames(required=True)
@options.long_running
def run(**given: Any) -> None:
    """Announce the VIPs in these files from this router VM, until TERM."""
    from orchestrator.adapters.errors import AdapterError
    from orchestrator.cli.failure import fail
    from orchestrator.cli.role import run_role
    from orchestrator.roles.appliance import appliance, look_before

    settings = options.process_settings(**given)
    try:
        look_before(settings)
    except AdapterError as error:
        fail(error.place, error.message)
    run_role("run", settings, lambda: appliance(settings).run())
