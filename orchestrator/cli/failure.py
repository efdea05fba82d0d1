"""How a command ends badly: one line on standard error, and the exit status of CLI.md."""

from __future__ import annotations

from typing import NoReturn

import click

REFUSED = 1
"""The answer is no: problems of severity error, a refusal, a difference."""
WRONG_USAGE = 2
"""The command line cannot be understood."""
IMPOSSIBLE = 3
"""It could not be done: a file unreadable, a process unreachable."""


def fail(place: str, message: str, status: int = IMPOSSIBLE) -> NoReturn:
    """Print `orchestrator: PLACE: MESSAGE` and end the process with `status`."""
    click.echo(f"orchestrator: {place}: {message}", err=True)
    raise SystemExit(status)
