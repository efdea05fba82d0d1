"""The `orchestrator` command: finds the subcommand's module and imports only that."""

from __future__ import annotations

import importlib
import keyword
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from orchestrator import __version__
from orchestrator.cli.failure import WRONG_USAGE, fail

COMMANDS = {
    "check": "orchestrator.cli.check",
    "plan": "orchestrator.cli.plan",
    "explain": "orchestrator.cli.explain",
    "import": "orchestrator.cli.import_",
    "crds": "orchestrator.cli.crds",
    "run": "orchestrator.cli.run",
    "speaker": "orchestrator.cli.speaker",
    "exabgp": "orchestrator.cli.exabgp",
    "relay": "orchestrator.cli.relay",
    "addresses": "orchestrator.cli.addresses",
    "controller": "orchestrator.cli.controller",
    "layer2": "orchestrator.cli.layer2",
    "status": "orchestrator.cli.live",
    "sessions": "orchestrator.cli.live",
    "routes": "orchestrator.cli.live",
    "vips": "orchestrator.cli.live",
    "events": "orchestrator.cli.live",
    "drain": "orchestrator.cli.drain",
    "undrain": "orchestrator.cli.drain",
    "lab": "orchestrator.cli.lab",
    "demo": "orchestrator.cli.demo",
}
"""Subcommand -> module that defines a click command of that name (`import_` for `import`)."""


class LazyGroup(click.Group):
    """A group whose commands are imported when called, so that the command starts fast.

    Wrong usage is one line on standard error, as everything that goes wrong (CLI.md). `modules` are
    its commands, `program` is what it is called by.
    """

    modules: Mapping[str, str] = COMMANDS
    program = "orchestrator"

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is asked for."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            wrong_usage(error, self.program)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command's name; nothing at all asks for help."""
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            wrong_usage(error, self.program)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all subcommands, in the order of the table."""
        del ctx
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name` and return its command, or None when there is none."""
        del ctx
        if cmd_name not in self.modules:
            return None
        attribute = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(self.modules[cmd_name]), attribute)
        return command


def wrong_usage(error: click.UsageError, program: str) -> NoReturn:
    """End the process with what is wrong, and where help is."""
    names: list[str] = []
    context = error.ctx
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    message = " ".join(error.format_message().split())
    help_ = " ".join((program, *names, "--help"))
    fail(" ".join(names) or program, f"{message} See {help_}", WRONG_USAGE)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orchestrator")
def main() -> None:
    """Announce service addresses from bare metal, over BGP or on layer 2."""
