"""The command as a whole: its subcommands, and what it says to wrong usage."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from orchestrator import __version__
from orchestrator.cli.main import COMMANDS, main


def run(*arguments: str) -> Result:
    """Run `orchestrator`."""
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("plan",), "plan"),
        (("plan", "-f", "x", "-o", "xml"), "plan"),
        (("import", "nonsense", "x"), "import"),
        (("lab", "sideways"), "lab"),
        (("nonsense",), "orchestrator"),
        (("--nonsense",), "orchestrator"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...], place: str) -> None:
    """What cannot be understood is told as everything that goes wrong, with where help is."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"orchestrator: {place}: ")
    assert line.endswith("--help")


def test_version_is_printed() -> None:
    """--version names the version and ends well."""
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"orchestrator, version {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each subcommand of the table exists and has a help text."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {command} ")
