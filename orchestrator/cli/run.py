"""`orchestrator run`: the static appliance, every role under one supervisor, from files."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask


@click.command()
@options.filenames(required=True)
@options.long_running
def run(**given: Any) -> None:
    """Announce the VIPs in these files from this router VM, until TERM."""
    from orchestrator.cli.failure import WRONG_USAGE, fail
    from orchestrator.cli.role import run_role
    from orchestrator.roles.appliance import appliance, look_before

    for name in ("kubeconfig", "context"):
        if given[name] is not None:
            text = "run reads the files given with -f and no cluster; leave it out"
            fail(f"--{name}", text, WRONG_USAGE)
    settings = options.process_settings(**given)
    ask(lambda: look_before(settings))
    run_role("run", settings, lambda: appliance(settings).run())
