"""The `orchestrator` command: finds the subcommand's module and imports only that."""

from __future__ import annotations

import importlib
import keyword

import click

from orchestrator import __version__

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
    """A group whose commands are imported when called, so that the command starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all subcommands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name` and return its command, or None when there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        attribute = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orchestrator")
def main() -> None:
    """Announce service addresses from bare metal, over BGP or on layer 2."""
