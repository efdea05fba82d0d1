"""`kubectl orchestrator`: the commands that ask a cluster, which is always the one that is meant."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import click

from orchestrator import __version__
from orchestrator.cli.cluster import ALWAYS
from orchestrator.cli.main import COMMANDS, LazyGroup

OFFERED = ("explain", "status", "sessions", "routes", "vips", "plan", "check", "drain", "undrain")


class Plugin(LazyGroup):
    """The commands that mean something for a cluster."""

    modules: Mapping[str, str] = MappingProxyType({name: COMMANDS[name] for name in OFFERED})
    program = "kubectl orchestrator"


@click.group(cls=Plugin, context_settings={"help_option_names": ["-h", "--help"], "obj": ALWAYS})
@click.version_option(__version__, prog_name="kubectl orchestrator")
def main() -> None:
    """Ask a cluster why a Service is announced or not, and drain its nodes."""
