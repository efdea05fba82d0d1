"""`orchestrator demo` shows what it promises, in both forms, and cleans up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.lab.demo import Demo
from orchestrator.lab.demo_layer2 import Layer2Demo
from orchestrator.lab.demo_loopback import LoopbackScene
from orchestrator.lab.scene import DemoError, SeenPath
from tests.lab.harness import Lab, poll, require

pytestmark = pytest.mark.lab

LIMIT_S = 150


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short name, as a user's TMPDIR is: sockets go into it."""
    with tempfile.TemporaryDirectory(prefix="t") as name:
        yield Path(name)


def start(workdir: Path, *flags: str) -> subprocess.Popen[str]:
    """Start the demo with its files below `workdir`."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "demo", *flags],
        env={**os.environ, "TMPDIR": str(workdir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_running(workdir: Path) -> list[str]:
    """Processes that still use the demo's directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = entry.joinpath("cmdline").read_text()
            except OSError:
                continue
            if str(workdir) in line:
                found.append(line)
    return found


def test_in_namespaces(short: Path) -> None:
    """Three Established sessions, one /32 with three next hops, answers of all; then one, one, none."""
    require("/usr/lib/frr/bgpd", "vtysh", "ip")
    with start(short) as process:
        output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    assert "BGP router identifier 192.168.143.2, local AS number 64500" in output
    assert "192.168.143.230/32 [200/0] via 192.168.121.72" in output
    for address in ("192.168.121.72", "192.168.121.170", "192.168.121.224"):
        assert f"nexthop via {address} dev eth1" in output
    for name in ("lb72", "lb170", "lb224"):
        assert f"{name:8} answered" in output
    assert "spare via 192.168.121.170 local preference 0 communities 65535:0" in output
    assert not list(short.iterdir())


def test_on_loopback_addresses(short: Path) -> None:
    """The other form shows the same table and says what it leaves out."""
    with start(short, "--loopback") as process:
        output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    assert "left out here: a real router" in output
    assert output.count("[200/0] via 127.0.0.") == 3 + 2 + 1
    assert "spare via 127.0.0.170 local preference 0 communities 65535:0" in output
    assert not left_running(short)


def test_without_root(pair: Lab) -> None:
    """A user without root gets the loopback form, told why, and it works."""
    node = pair.node("a")
    # The Python under test may lie in root's home; in the node only, let others read it.
    parents = {str(path) for path in Path(sys.executable).resolve().parents}
    node.run(["chmod", "o+x", *sorted(parents & {"/root", "/home"})], check=False)
    argv = [sys.executable, "-m", "orchestrator", "demo"]
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    done = node.run([*user, *argv], timeout_s=LIMIT_S, check=False, env={"HOME": "/tmp"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "network namespaces need root" in done.stdout


@pytest.mark.parametrize("flags", [(), ("--loopback",)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(short: Path, flags: tuple[str, ...], number: int) -> None:
    """Ctrl-C, or TERM, in the middle takes everything down and says so."""
    require("/usr/lib/frr/bgpd", "vtysh", "ip")
    with start(short, *flags) as process:
        assert process.stdout
        seen = iter(process.stdout.readline, "")
        assert any("Established: " in line for line in seen)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(60) == 130, rest
    assert "nothing is left running" in rest
    poll(lambda: not left_running(short))
    assert not list(short.iterdir())


def test_stay_offers_commands_that_work(short: Path) -> None:
    """`--stay` brings everything back and prints commands that work as they are."""
    require("/usr/lib/frr/bgpd", "vtysh", "ip")
    with start(short, "--stay") as process:
        assert process.stdout
        seen = iter(process.stdout.readline, "")
        assert any("To look around" in line for line in seen)
        commands = [process.stdout.readline().strip() for _ in range(4)]
        outputs = [_output(command) for command in commands]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "FRRouting" in outputs[0]
    assert "lb72" in outputs[1]
    assert "192.168.143.230" in outputs[2]
    assert set(json.loads(outputs[3])) == {"lb72", "lb170", "lb224"}
    nodes = [pid for command in commands for pid in re.findall(r"--target=(\d+)", command)]
    assert len(nodes) == 4
    poll(lambda: not [pid for pid in nodes if Path("/proc", pid).exists()])


def _output(command: str) -> str:
    done = subprocess.run(
        command.split(), input="exit\n", capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class LyingScene(LoopbackScene):
    """A router that never sees the third node's route."""

    def paths(self) -> Sequence[SeenPath]:
        """Leave one path out."""
        return [path for path in super().paths() if not path.next_hop.endswith(".224")]


def test_what_is_not_so_fails_the_demo(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When R1 lacks a next hop the demo fails, and says what it expected and what it saw."""
    monkeypatch.setattr("orchestrator.lab.demo.LIMIT_S", 5)
    scene = LyingScene(short)
    lines: list[str] = []
    try:
        with pytest.raises(DemoError, match="but saw"):
            Demo(scene, lines.append).run()
    finally:
        scene.close()


def test_layer2_failover_is_measured(short: Path) -> None:
    """`--layer2` kills the owner of a VIP, says how long the client waited, and passes."""
    require("ip")
    with start(short, "--layer2") as process:
        output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    waited = re.search(r"without an answer for (\d+) ms; then node\d answered", output)
    assert waited, output
    assert 0 < int(waited[1]) <= 500
    assert "Stopping node" in output
    assert not left_running(short)
    assert not list(short.iterdir())


def test_a_slow_failover_fails_the_demo(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client waited longer than promised the demo fails and says so."""
    monkeypatch.setattr("orchestrator.lab.demo_layer2.LIMIT_S", 0.001)
    story = Layer2Demo(short, lambda _line: None)
    try:
        with pytest.raises(DemoError, match="but it took"):
            story.run()
    finally:
        story.close()
