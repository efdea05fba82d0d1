"""Where a process takes its settings from: flag, environment, Settings object, default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import options
from orchestrator.settings import Settings

OBJECT = """
apiVersion: orchestrator.io/v1alpha1
kind: Settings
metadata: {name: all}
spec: {http: "192.0.2.1:8080", log: {level: debug, format: json}}
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A file with a Settings object."""
    path = tmp_path / "settings.yaml"
    path.write_text(OBJECT)
    return path


def parse(*arguments: str, **environment: str) -> Settings:
    """Parse options as the long-running commands do."""
    parsed: list[Settings] = []

    @click.command()
    @options.filenames()
    @options.long_running
    def command(**given: Any) -> None:
        parsed.append(options.process_settings(**given))

    result = CliRunner().invoke(command, list(arguments), env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return parsed[0]


def test_defaults_without_anything() -> None:
    """HTTP is on loopback, the level is info, and the form follows the terminal."""
    found = parse()
    assert (found.http, found.log_level, found.log_format) == ("127.0.0.1:7472", "info", "")


def test_settings_object_comes_before_defaults(settings_file: Path) -> None:
    """What the object in the files says is used where no flag says otherwise."""
    found = parse("-f", str(settings_file))
    assert (found.http, found.log_level, found.log_format) == ("192.0.2.1:8080", "debug", "json")


def test_environment_and_flags_come_before_the_object(settings_file: Path) -> None:
    """A flag wins over the environment, and both over the object."""
    found = parse(
        *("-f", str(settings_file), "--http", "off", "--log-level", "error"),
        ORCHESTRATOR_LOG_LEVEL="warning",
        ORCHESTRATOR_LOG_FORMAT="text",
    )
    assert (found.http, found.log_level, found.log_format) == (None, "error", "text")


def test_http_can_be_off_in_the_object(tmp_path: Path) -> None:
    """`off` means the same in the object as with the flag."""
    path = tmp_path / "a.yaml"
    path.write_text(OBJECT.replace("192.0.2.1:8080", "off"))
    assert parse("-f", str(path)).http is None


def test_faulty_object_counts_as_absent(tmp_path: Path) -> None:
    """A process starts with defaults beside a faulty object, which `check` and `status` report."""
    path = tmp_path / "a.yaml"
    path.write_text(OBJECT.replace("level: debug", "level: loud"))
    assert parse("-f", str(path)).log_level == "info"


@pytest.mark.parametrize("name", ["", "x" * 254])
def test_names_of_nodes_fit_into_hellos(name: str) -> None:
    """No name, and one longer than a DNS name, are wrong usage."""
    done = CliRunner().invoke(
        options.IDENTITY[0](click.command()(lambda **_: None)), ["--node", name]
    )
    assert done.exit_code == 2
    assert "1 to 253 bytes" in done.output
