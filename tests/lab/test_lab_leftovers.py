"""Nothing of a lab outlives it, however its runner ended; and the `lab` command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab.namespaces import anchors
from tests.lab.harness import lab_name, poll

pytestmark = pytest.mark.lab

FILE = """
name: {name}
topology:
  defaults: {{kind: linux}}
  nodes:
    a:
      cmd: sleep {marker}
      exec: [ip addr add 10.0.0.1/24 dev eth1, echo from a]
    b: {{exec: [ip addr add 10.0.0.2/24 dev eth1]}}
    {extra}
  links:
    - endpoints: ["a:eth1", "b:eth1"]
    - endpoints: ["a:eth2", "host:{interface}"]
"""


class File:
    """A topology file of a lab with a name and marks of its own."""

    def __init__(self, directory: Path, extra: str = "") -> None:
        self.name = lab_name()
        self.interface = self.name[-12:].replace("-", "x") + "f"
        self.marker = str(100000 + os.getpid())
        self.path = directory / f"{self.name}.clab.yml"
        text = FILE.format(
            name=self.name, marker=self.marker, interface=self.interface, extra=extra
        )
        self.path.write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `orchestrator lab COMMAND FILE ...`."""
        first, *rest = arguments
        argv = [sys.executable, "-m", "orchestrator", "lab", first, str(self.path), *rest]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    def nodes(self) -> list[str]:
        """Containers of this lab that are up."""
        return sorted(name for name in anchors() if name.startswith(f"clab-{self.name}-"))

    def remains(self) -> list[str]:
        """Whatever of the lab is on the host: nodes, processes, interfaces, mounts."""
        processes = [
            entry.name
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and self.marker in _command_line(entry)
        ]
        interface = [self.interface] if Path("/sys/class/net", self.interface).exists() else []
        mounts = [
            line for line in Path("/proc/mounts").read_text().splitlines() if self.name in line
        ]
        return self.nodes() + processes + interface + mounts


def _command_line(process: Path) -> str:
    try:
        return process.joinpath("cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture
def file(workdir: Path) -> Iterator[File]:
    """A topology file; its lab is down in the end."""
    made = File(workdir)
    yield made
    made.command("down")


def test_up_exec_down(file: File) -> None:
    """`lab up` leaves the lab up, `exec` runs in a node with its status, `down` leaves nothing."""
    up = file.command("up")
    assert up.returncode == 0, up.stderr
    assert "from a" in up.stdout
    assert file.nodes() == [f"clab-{file.name}-a", f"clab-{file.name}-b"]
    ping = file.command("exec", "a", "ping", "-c1", "-W5", "10.0.0.2")
    assert ping.returncode == 0, ping.stdout + ping.stderr
    assert file.command("exec", "a", "--", "sh", "-c", "exit 7").returncode == 7
    again = file.command("up")
    assert again.returncode == 3
    assert "already up" in again.stderr
    down = file.command("down")
    assert down.returncode == 0
    assert "a, b ended" in down.stdout
    assert file.remains() == []
    assert sorted(path.name for path in file.path.parent.iterdir()) == [file.path.name]


def test_down_of_a_lab_that_is_not_up(file: File) -> None:
    """`down` twice is no error; `exec` then says what to do."""
    assert "was not up" in file.command("down").stdout
    lost = file.command("exec", "a", "true")
    assert lost.returncode == 3
    assert "lab up" in lost.stderr


def test_faulty_file_is_told_by_line(file: File) -> None:
    """A faulty file ends with status 1 and one line for each problem, FILE:LINE:COLUMN and key."""
    file.path.write_text(
        "name: x\ntopology:\n  nodes:\n    a: {kind: linux, ports: [80]}\n    b: {kind: srl}\n",
        encoding="utf-8",
    )
    up = file.command("up")
    assert up.returncode == 1
    lines = up.stderr.splitlines()
    assert f"{file.path}:4:" in lines[0]
    assert "topology.nodes.a.ports" in lines[0]
    assert f"{file.path}:5:" in lines[1]
    assert len(lines) == 2


HOLD = """
import sys
from pathlib import Path
from orchestrator.lab.runner import Lab
from orchestrator.lab.topology_file import load_topology
with Lab(load_topology(sys.argv[1]), Path(sys.argv[2])) as lab:
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_end_of_the_runner_ends_the_lab(file: File, workdir: Path, number: int) -> None:
    """A lab held by a process is gone when that process is, killed with -9 or by Ctrl-C."""
    argv = [sys.executable, "-c", HOLD, str(file.path), str(workdir / "held")]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        assert len(file.nodes()) == 2
        holder.send_signal(number)
        holder.wait(30)
    poll(lambda: not file.remains(), what="the lab to be gone")


def test_down_cleans_up_after_a_killed_up(workdir: Path) -> None:
    """`lab up` killed with -9 half-way leaves nodes; `lab down` takes them away by name."""
    file = File(workdir, extra="c: {startup-delay: 60}")
    argv = [sys.executable, "-m", "orchestrator", "lab", "up", str(file.path)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        poll(lambda: len(file.nodes()) == 2)
        up.kill()
        up.wait(10)
    assert file.nodes()
    assert file.command("down").returncode == 0
    assert file.remains() == []


def test_interrupted_up_leaves_nothing(workdir: Path) -> None:
    """Ctrl-C while a lab comes up takes away what was up already."""
    file = File(workdir, extra="c: {startup-delay: 60}")
    argv = [sys.executable, "-m", "orchestrator", "lab", "up", str(file.path)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        poll(lambda: len(file.nodes()) == 2)
        up.send_signal(signal.SIGINT)
        up.wait(30)
    assert file.remains() == []
