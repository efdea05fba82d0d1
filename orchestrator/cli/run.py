"""`orchestrator run`: the static appliance, every role under one supervisor, from files."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import options
from orchestrator.cli.ask import ask


@click.command()
@options.filenames(required=True)
@options.long_running
@click.option("--kubeconfig", envvar="ORCHESTRATOR_KUBECONFIG", help="Not for run: it has files.")
@click.option("--context", envvar="ORCHESTRATOR_CONTEXT", help="Not for run: it has files.")
def run(kubeconfig: str | None, context: str | None, **given: Any) -> None:
    """Announce the VIPs in these files from this router VM, until TERM."""
    from orchestrator.cli.failure import WRONG_USAGE, fail
    from orchestrator.cli.role import run_role
    from orchestrator.roles.appliance import appliance, look_before

    for flag, value in (("--kubeconfig", kubeconfig), ("--context", context)):
        if value is not None:
            fail(
                flag, "run reads the files given with -f and no cluster; leave it out", WRONG_USAGE
            )
    settings = options.process_settings(**given)
    ask(lambda: look_before(settings))
    run_role("run", settings, lambda: appliance(settings).run())
