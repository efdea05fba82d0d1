"""`orchestrator addresses`: the role that binds VIPs (router VM only)."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.long_running
def addresses(**given: Any) -> None:
    """Put VIPs on their interface before they are announced, take them off after."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.addresses import Addresses

    settings = options.process_settings(**given)
    run_role("addresses", settings, lambda: Addresses(settings).run())
