"""The files of exabgp-conf/: ExaBGP takes them, and they say what the code does."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.exabgp_process import EXABGP_VARIABLES
from orchestrator.bgp.render import process_section

CONF = Path(__file__).parents[3] / "exabgp-conf"


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    """Run `exabgp validate` as the exabgp role would start ExaBGP."""
    environment = {**os.environ, **EXABGP_VARIABLES, "PATH": str(Path(sys.executable).parent)}
    argv = [sys.executable, "-m", "exabgp", "validate", str(path)]
    return subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.conf")), ids=lambda path: path.name)
def test_exabgp_accepts_every_file(path: Path) -> None:
    """`exabgp validate` accepts the skeleton and each example."""
    done = validate(path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_exabgp_refuses_a_broken_file(tmp_path: Path) -> None:
    """`exabgp validate` would refuse a file with a mistake in it."""
    broken = tmp_path / "broken.conf"
    broken.write_text(
        (CONF / "examples" / "ibgp.conf").read_text("ascii").replace("peer-as", "peer")
    )
    assert validate(broken).returncode != 0


def test_skeleton_is_what_the_role_starts_with() -> None:
    """The skeleton is the text that the exabgp role writes when there is no configuration yet."""
    assert (CONF / "skeleton.conf").read_text("ascii") == process_section()


def test_environment_is_what_the_role_sets() -> None:
    """exabgp.env has the settings that the exabgp role gives ExaBGP, no more and no fewer."""
    reader = configparser.ConfigParser()
    reader.read(CONF / "exabgp.env")
    found = {
        f"{name}.{key}": reader[name][key] for name in reader.sections() for key in reader[name]
    }
    assert found == EXABGP_VARIABLES


def test_examples_are_what_is_named_in_the_documentation() -> None:
    """There is an example of each kind of session that docs/bgp.md speaks of."""
    names = {path.stem for path in (CONF / "examples").glob("*.conf")}
    text = (CONF.parent / "docs" / "bgp.md").read_text("utf-8")
    assert names
    assert {name for name in names if f"{name}.conf" in text} == names
