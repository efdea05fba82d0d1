"""`orchestrator import`: exit status, both outputs, and the way on into `check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from orchestrator.cli.main import main
from tests.unit.config.imported import DIRECTORY, FORMATS

WHOLE = b"address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"


def run(*arguments: str, stdin: bytes = b"") -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["import", *arguments], input=stdin)


def path(format_name: str) -> str:
    """File of a real-looking configuration."""
    return str(DIRECTORY / FORMATS[format_name][1])


@pytest.mark.parametrize("format_name", FORMATS)
def test_import_then_check(format_name: str) -> None:
    """`import FORMAT FILE | check -f -` is valid."""
    imported = run(format_name, path(format_name))
    checked = CliRunner().invoke(main, ["check", "-f", "-"], input=imported.stdout)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("format_name", FORMATS)
def test_status_tells_a_loss(format_name: str) -> None:
    """The status is 1 when something was not carried over, and each line says what and why."""
    result = run(format_name, path(format_name))
    lines = result.stderr.splitlines()
    assert result.exit_code == (1 if lines else 0)
    for line in lines:
        assert line.startswith(path(format_name) + ":")
        assert ": not carried over: " in line


@pytest.mark.parametrize("format_name", FORMATS)
def test_json(format_name: str) -> None:
    """JSON has the same objects and losses as YAML and standard error."""
    text, document = (
        run(format_name, path(format_name)),
        run(format_name, path(format_name), "-o", "json"),
    )
    found = json.loads(document.stdout)
    assert set(found) == {"objects", "notCarriedOver"}
    assert found["objects"] == list(yaml.safe_load_all(text.stdout))
    assert len(found["notCarriedOver"]) == len(text.stderr.splitlines())
    assert all(set(entry) == {"place", "what", "why"} for entry in found["notCarriedOver"])
    assert document.exit_code == text.exit_code


def test_standard_input() -> None:
    """A - reads standard input; nothing lost is status 0 and silence."""
    result = run("metallb-configmap", "-", stdin=WHOLE)
    assert result.exit_code == 0
    assert result.stderr == ""
    kinds = [found["kind"] for found in yaml.safe_load_all(result.stdout)]
    assert kinds == ["IPAddressPool", "L2Advertisement"]


@pytest.mark.parametrize("text", [b"", b"peers: [\n", b"\xff\xfe", b"a: 1\n"])
def test_unreadable_text(tmp_path: Path, text: bytes) -> None:
    """A file that is no such configuration is status 3 and one line with its place."""
    file = tmp_path / "x.yaml"
    file.write_bytes(text)
    result = run("kube-vip", str(file))
    assert result.exit_code == 3
    assert result.stderr.startswith(f"orchestrator: {file}:")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there, or a directory, is status 3."""
    assert run("exabgp", str(tmp_path / "none")).exit_code == 3
    assert run("exabgp", str(tmp_path)).exit_code == 3


@pytest.mark.parametrize("arguments", [(), ("metallb-configmap",), ("nginx", "-")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    """A missing argument or an unknown format is status 2."""
    assert run(*arguments).exit_code == 2


def test_passwords_go_to_secrets_only() -> None:
    """A password is in a Secret and nowhere else, not even in what is said to be lost."""
    result = run("exabgp", path("exabgp"))
    secrets = [one for one in yaml.safe_load_all(result.stdout) if one["kind"] == "Secret"]
    assert secrets[0]["stringData"] == {"password": "top secret"}
    assert result.stdout.count("top secret") == 1
    assert "top secret" not in result.stderr
