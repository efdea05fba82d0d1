"""`orchestrator check`: verdict, exit status, documents, and what is never shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from orchestrator.cli.main import main
from tests.unit.config.samples import PEER, POOL, VIP, text_of

GOOD = text_of("IPAddressPool", "edge", POOL)
WARNING = text_of("BGPPeer", "r1", PEER + "\nconnectTime: 5s")
WAITING = text_of("BGPPeer", "r1", PEER + "\npasswordSecret: {name: s}")
FAULTY = text_of("IPAddressPool", "edge", "addresses: [x]")


def check(*arguments: str, stdin: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", *arguments], input=stdin)


@pytest.mark.parametrize(
    ("text", "status", "strict"),
    [(GOOD, 0, 0), (WARNING, 0, 1), (WAITING, 0, 1), (FAULTY, 1, 1), ("a: [", 1, 1), ("", 0, 0)],
)
def test_exit_status(tmp_path: Path, text: str, status: int, strict: int) -> None:
    """0 when valid, 1 when not; with --strict warnings and waiting count too."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert check("-f", str(path)).exit_code == status
    assert check("-f", str(path), "--strict").exit_code == strict


def test_settings_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ORCHESTRATOR_<FLAG> stands for a flag that is not given; the flag goes before it."""
    path = tmp_path / "a.yaml"
    path.write_text(WARNING)
    monkeypatch.setenv("ORCHESTRATOR_OUTPUT", "json")
    monkeypatch.setenv("ORCHESTRATOR_STRICT", "true")
    done = check("-f", str(path))
    assert (done.exit_code, json.loads(done.output)["valid"]) == (1, False)
    assert not check("-f", str(path), "-o", "table").output.startswith("{")


def test_json_document(tmp_path: Path) -> None:
    """The JSON has every key of the contract, null where there is nothing."""
    path = tmp_path / "a.yaml"
    path.write_text(FAULTY)
    result = check("-f", str(path), "-o", "json")
    document = json.loads(result.stdout)
    assert document["valid"] is False
    problem = document["problems"][0]
    assert problem.pop("message").startswith('"x" is not an address range')
    assert problem == {
        "severity": "error",
        "code": "invalidValue",
        "object": "IPAddressPool metallb-system/edge",
        "place": f"{path}:6:15",
        "path": "spec.addresses[0]",
        "hint": None,
    }
    assert yaml.safe_load(check("-f", str(path), "-o", "yaml").stdout)["valid"] is False


def test_people_get_a_line_for_each_problem(tmp_path: Path) -> None:
    """A line begins with the place, so that editors jump to it, and a last line sums up."""
    path = tmp_path / "a.yaml"
    path.write_text(FAULTY + "---\n" + WAITING)
    lines = check("-f", str(path)).stdout.splitlines()
    assert lines[0].startswith(f"{path}:6:15: error: IPAddressPool metallb-system/edge spec.addr")
    assert lines[1].startswith(f"{path}:")
    assert lines[-1] == "not valid: 1 error, 1 waiting"


def test_standard_input_and_directory(tmp_path: Path) -> None:
    """`-` is standard input; a directory is all its files."""
    assert check("-f", "-", stdin=FAULTY).stdout.startswith("-:6:15: error")
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(FAULTY.replace("edge", "other"))
    assert check("-f", str(tmp_path)).stdout.startswith(f"{tmp_path}/b.yaml:6:15: error")


def test_missing_file_is_status_3(tmp_path: Path) -> None:
    """A file that cannot be opened is one line on standard error and status 3."""
    result = check("-f", str(tmp_path / "none.yaml"))
    assert result.exit_code == 3
    assert result.stderr == (
        f"orchestrator: {tmp_path}/none.yaml: cannot be read: No such file or directory\n"
    )


def test_without_files_is_wrong_usage() -> None:
    """The files are required."""
    assert check().exit_code == 2


def test_other_namespace() -> None:
    """--namespace says where configuration lives."""
    text = text_of("VirtualIP", "v", VIP, namespace="lb")
    assert check("-f", "-", stdin=text).exit_code == 1
    assert check("-f", "-", "--namespace", "lb", stdin=text).exit_code == 0


def test_starts_without_heavy_libraries() -> None:
    """Checking loads neither the web server nor the Kubernetes client nor rich."""
    script = "import sys; from orchestrator.cli.main import main\n"
    script += "main(['check', '-f', '-'], standalone_mode=False)"
    heavy = "print(sorted({'aiohttp', 'kubernetes', 'rich', 'asyncio'} & set(sys.modules)))"
    wrapped = f"try:\n exec({script!r})\nexcept SystemExit: pass\nimport sys; {heavy}"
    command = [sys.executable, "-c", wrapped]
    result = subprocess.run(command, input=GOOD, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
