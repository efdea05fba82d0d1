"""`orchestrator controller`: gives addresses to the Services of a cluster."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.long_running
def controller(**given: Any) -> None:
    """Give addresses to the Services of a cluster, one active replica of several, until TERM."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.controller.role import Controller

    settings = options.process_settings(**given)
    run_role("controller", settings, lambda: Controller(settings).run())
