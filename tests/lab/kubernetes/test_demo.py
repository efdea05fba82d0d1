"""`orchestrator demo --kubernetes` shows what it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.harness import poll, require
from tests.lab.kubernetes.scene import PROGRAMS

LIMIT_S = 300


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short name, as a user's TMPDIR is: sockets go into it."""
    with tempfile.TemporaryDirectory(prefix="t") as name:
        yield Path(name)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """The demo shows its own logs' place; no cluster of the tests is needed."""
    return tmp_path


def start(directory: Path, *flags: str) -> subprocess.Popen[str]:
    """Start the demo with its files below `directory`."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "demo", *flags],
        env={**os.environ, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children_of(pid: int) -> set[int]:
    """Processes that one has started, and theirs."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return {int(child) for child in found}


def test_the_story(short: Path) -> None:
    """Address, routes of three nodes, answers, a death that is noticed, a drain without a failure."""
    require(*PROGRAMS)
    with start(short, "--kubernetes") as process:
        output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    assert "its status says 203.0.113.0, of the pool routed" in output
    assert re.search(
        r"203\.0\.113\.0/32 \[20/0\] via 192\.168\.10\.11.*\n"
        r".*via 192\.168\.10\.12.*\n.*via 192\.168\.10\.13",
        output,
    ), output
    assert re.search(r"pod shop-\d +answered +30", output), output
    assert re.search(r"BGP: [1-9]\d* of \d+ connections failed", output), output
    assert len(re.findall(r"client \w+: 0 of [1-9]\d* new connections failed", output)) == 2, output
    assert "R1 has no route to 203.0.113.0 any more" in output
    assert not list(short.iterdir())


def test_stopped_it_leaves_nothing(short: Path) -> None:
    """TERM in the middle of the story ends the API server and every node."""
    require(*PROGRAMS)
    with start(short, "--kubernetes") as process:
        assert process.stdout
        for line in process.stdout:
            if "Creating Service" in line:
                break
        started = children_of(process.pid)
        assert started
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "nothing is left running" in rest
    poll(lambda: not [pid for pid in started if Path(f"/proc/{pid}").exists()], 10, "all to end")
    assert not list(short.iterdir())


@pytest.mark.parametrize("other", ["--layer2", "--stay", "--loopback"])
def test_one_form_at_a_time(short: Path, other: str) -> None:
    """With the flag of another form it is wrong usage, in one line."""
    with start(short, "--kubernetes", other) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert output.startswith("orchestrator: demo: ")
    assert output.count("\n") == 1
