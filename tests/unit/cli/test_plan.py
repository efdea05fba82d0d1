"""`orchestrator plan`: tables, documents, `--against`, `--down`, `--node`, colour."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from orchestrator.cli.main import main

WORLD = """
apiVersion: v1
kind: Node
metadata: {name: n1}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge}
spec: {addresses: [192.0.2.0/30]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: all}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: r1}
spec: {myASN: 64500, peerASN: 64501, peerAddress: 10.0.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, clusterIP: 10.96.0.1, ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: web}
subsets: [{addresses: [{ip: 10.0.0.9, nodeName: n1}], ports: [{port: 80}]}]
"""
MOVED = WORLD.replace("192.0.2.0/30", "198.51.100.0/30")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Two configurations that give the Service different addresses, and a faulty one."""
    texts = {"old": WORLD, "new": MOVED, "bad": WORLD.replace("192.0.2.0/30", "x")}
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return {name: str(tmp_path / f"{name}.yaml") for name in texts}


def run(*arguments: str, stdin: str = "") -> Result:
    """Run `orchestrator plan`."""
    return CliRunner().invoke(main, ["plan", *arguments], input=stdin, catch_exceptions=False)


def document(*arguments: str) -> Any:
    """Run it and read its JSON."""
    return json.loads(run(*arguments, "-o", "json").stdout)


def test_plan_has_all_parts_whatever_there_is() -> None:
    """No part is ever left out, and nothing at all is a plan too."""
    result = run("-f", "-", "-o", "json", stdin="")
    assert result.exit_code == 0
    parts = "version problems assignments pools sessions routes layer2 verdicts"
    assert list(json.loads(result.stdout)) == parts.split()


def test_yaml_says_what_json_says(files: dict[str, str]) -> None:
    """The two forms hold the same document."""
    assert yaml.safe_load(run("-f", files["old"], "-o", "yaml").stdout) == document(
        "-f", files["old"]
    )


def test_faulty_configuration_is_planned_and_refused(files: dict[str, str]) -> None:
    """An error problem is status 1, and the plan is printed all the same."""
    result = run("-f", files["bad"], "-o", "json")
    assert result.exit_code == 1
    planned = json.loads(result.stdout)
    assert [problem["severity"] for problem in planned["problems"]] == ["error"]
    assert planned["sessions"]


def test_one_node_is_shown_alone(files: dict[str, str]) -> None:
    """--node leaves out what concerns other nodes, and only that."""
    planned = document("-f", files["old"], "--node", "n2")
    for part in ("sessions", "routes", "verdicts"):
        assert {entry["node"] for entry in planned[part]} == {"n2"}
    assert planned["assignments"] == document("-f", files["old"])["assignments"]


def test_difference_reads_like_a_diff(files: dict[str, str]) -> None:
    """What goes has a minus, what comes a plus, what changes both values; the status is 1."""
    result = run("-f", files["new"], "--against", files["old"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "  ~ default/web: 192.0.2.0 (edge) -> 198.51.100.0 (edge)" in lines
    assert "  - n1 to r1 192.0.2.0/32: next hop self" in lines
    assert "  + n2 to r1 198.51.100.0/32: next hop self" in lines
    assert lines[-1] == "routes: 2 announced, 2 withdrawn, 0 changed; addresses and owners moved: 1"
    assert "\x1b" not in result.stdout


def test_no_difference_is_said_and_is_status_0(files: dict[str, str]) -> None:
    """Equal plans end with status 0 and one line."""
    result = run("-f", files["old"], "--against", files["old"])
    assert (result.exit_code, result.stdout) == (0, "no difference\n")


def test_difference_as_a_document(files: dict[str, str]) -> None:
    """With -o json every part has what was removed, added and changed."""
    result = run("-f", files["new"], "--against", files["old"], "-o", "json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [entry["prefix"] for entry in found["routes"]["removed"]] == ["192.0.2.0/32"] * 2
    assert found["assignments"]["changed"][0]["after"]["addresses"] == ["198.51.100.0"]


def test_a_dead_node_is_compared_with_its_life(files: dict[str, str]) -> None:
    """--down counts for the plan, not for what it is compared with: so one sees who takes over."""
    found = json.loads(
        run("-f", files["old"], "--down", "n1", "--against", files["old"], "-o", "json").stdout
    )
    assert [entry["node"] for entry in found["routes"]["removed"]] == ["n1"]
    assert [entry["node"] for entry in found["sessions"]["removed"]] == ["n1"]


def test_tables_say_who_takes_over(files: dict[str, str]) -> None:
    """With --down the tables end with what changes by it."""
    result = run("-f", files["old"], "--down", "n1")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2] == "  - n1 to r1 192.0.2.0/32: next hop self"


def test_standard_input_is_read_once(files: dict[str, str]) -> None:
    """What takes over is worked out of the same input, also when it cannot be read again."""
    result = run("-f", "-", "--down", "n1", stdin=WORLD)
    assert result.stdout == run("-f", files["old"], "--down", "n1").stdout


def test_a_node_that_is_not_there_is_named(files: dict[str, str]) -> None:
    """A misspelt node changes nothing, and that is said on standard error."""
    result = run("-f", files["old"], "--down", "n9", "-o", "json")
    assert json.loads(result.stdout) == document("-f", files["old"])
    assert result.stderr == "orchestrator: n9: there is no such node; there are: n1, n2\n"


def test_flags_can_come_from_the_environment(files: dict[str, str]) -> None:
    """ORCHESTRATOR_<FLAG> stands for a flag; several nodes are told apart by blanks."""
    environment = {"ORCHESTRATOR_DOWN": "n1 n2", "ORCHESTRATOR_NODE": "n2"}
    arguments = ["plan", "-f", files["old"], "-o", "json"]
    result = CliRunner().invoke(main, arguments, env=environment)
    assert json.loads(result.stdout) == document(
        *("-f", files["old"], "--down", "n1", "--down", "n2", "--node", "n2")
    )


def test_unreadable_file_is_status_3(tmp_path: Path) -> None:
    """A file that cannot be opened is one line on standard error."""
    result = run("-f", str(tmp_path / "missing.yaml"))
    assert result.exit_code == 3
    assert result.stderr.startswith(f"orchestrator: {tmp_path}/missing.yaml: ")


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(
    files: dict[str, str], environment: dict[str, str], *, coloured: bool
) -> None:
    """On a terminal a difference has colours, unless NO_COLOR is set."""
    command = [sys.executable, "-m", "orchestrator", "plan", "-f", files["new"]]
    clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [*command, "--against", files["old"]], stdout=theirs, env={**clean, **environment}
        )
        os.close(theirs)
        text = b""
        while chunk := _read(terminal):
            text += chunk
        assert process.wait(60) == 1
    assert (b"\x1b[31m" in text) is coloured


def _read(terminal: Any) -> bytes:
    """Read what a terminal has; its end is an error on Linux."""
    try:
        return bytes(terminal.read(65536))
    except OSError:
        return b""
