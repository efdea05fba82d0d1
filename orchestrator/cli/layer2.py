"""`orchestrator layer2`: election, ARP and NDP answering, gratuitous ARP."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options


@click.command()
@options.long_running
def layer2(**given: Any) -> None:
    """Answer on layer 2 for what the speaker says this node may own, until TERM."""
    from orchestrator.cli.role import run_role
    from orchestrator.roles.layer2.role import Layer2

    settings = options.process_settings(**given)
    run_role("layer2", settings, lambda: Layer2(settings).run(), precise=True)
