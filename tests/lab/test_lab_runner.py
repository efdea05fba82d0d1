"""The runner keeps to containerlab's semantics (each test names the one it holds)."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.lab.runner import Lab, LabError
from orchestrator.lab.topology import (
    HOST,
    Bind,
    Endpoint,
    Link,
    NodeSpec,
    Stage,
    Topology,
    TopologyError,
    WaitFor,
)
from tests.lab.harness import lab_name, poll

pytestmark = pytest.mark.lab


def topology(*nodes: NodeSpec, links: tuple[Link, ...] = ()) -> Topology:
    """A lab of these nodes under a name of its own."""
    return Topology(lab_name(), {node.name: node for node in nodes}, links, directory=Path("/"))


def link(first: str, second: str, **options: int) -> Link:
    """A link in the short form, NODE:INTERFACE twice."""
    ends = [Endpoint(*end.split(":")) for end in (first, second)]
    return Link((ends[0], ends[1]), **options)


def host_interface() -> str:
    """A name for an interface of the host that nothing else has."""
    return lab_name()[-12:].replace("-", "x") + "h"


def test_exec_runs_in_order_without_a_shell(workdir: Path) -> None:
    """The exec list runs in order, its words untouched by a shell, in the node's namespaces."""
    node = NodeSpec(
        "a", exec=(("touch", "/tmp/one"), ("mv", "/tmp/one", "/tmp/$HOME"), ("hostname",))
    )
    with Lab(topology(node), workdir) as lab:
        assert [result.returncode for result in lab.exec_results] == [0, 0, 0]
        assert lab.exec_results[-1].output == "a\n"
        assert lab.node("a").run(["ls", "/tmp"]).stdout.split()[0] == "$HOME"


def test_failing_exec_does_not_fail_the_lab(workdir: Path) -> None:
    """A failing exec is told, the ones after it still run, and the lab is up."""
    node = NodeSpec("a", exec=(("ls", "/not-there"), ("true",)))
    with Lab(topology(node), workdir) as lab:
        assert [result.returncode for result in lab.exec_results] == [2, 0]
        assert "/not-there" in lab.exec_results[0].output


def test_environment_is_the_nodes_own(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node has its env and CLAB_INTFS, and nothing of the caller's environment."""
    monkeypatch.setenv("CALLERS", "1")
    first = NodeSpec("a", env={"COLOUR": "red"})
    cables = (link("a:eth1", "b:eth1"), link("a:eth2", "b:eth2"))
    with Lab(topology(first, NodeSpec("b"), links=cables), workdir) as lab:
        env = lab.node("a").run(["env"]).stdout.splitlines()
    assert {"COLOUR=red", "CLAB_INTFS=2", "HOSTNAME=a"} <= set(env)
    assert not [line for line in env if line.startswith("CALLERS")]


def test_binds_show_host_files_and_honour_read_only(workdir: Path) -> None:
    """A bind shows a file or directory of the host, where nothing was too; ro refuses writing."""
    source = workdir / "given.txt"
    source.write_text("given", encoding="ascii")
    binds = (
        Bind(str(source), "/start.txt", read_only=True),
        Bind(str(source), "/etc/deep/er/file"),
        Bind(str(workdir), "/var/run/dir"),
    )
    with Lab(topology(NodeSpec("a", binds=binds)), workdir) as lab:
        node = lab.node("a")
        for path in ("/start.txt", "/etc/deep/er/file", "/run/dir/given.txt"):
            assert node.run(["cat", path]).stdout == "given"
        assert node.run(["touch", "/start.txt"], check=False).returncode != 0
        node.run(["cp", "/etc/hostname", "/run/dir/made"])
    assert (workdir / "made").exists()
    assert not Path("/start.txt").exists()
    assert not Path("/etc/deep").exists()


def test_what_a_node_writes_is_its_own(workdir: Path) -> None:
    """Files of the host are never touched: neither /etc nor /tmp nor /run, nor a configuration."""
    with Lab(topology(NodeSpec("a"), NodeSpec("b")), workdir) as lab:
        for path in ("/etc/mark", "/tmp/mark", "/run/mark", "/var/lib/mark", "/mark"):
            lab.node("a").run(["touch", path])
            assert lab.node("b").run(["test", "-e", path], check=False).returncode == 1
            assert not Path(path).exists()
        lab.node("a").run(["rm", "/etc/hostname"])
        assert not list(Path("/etc/frr").glob("mark*"))
    assert Path("/etc/hostname").exists()


def test_links_have_containerlabs_mtu_and_addresses(workdir: Path) -> None:
    """A link is a veth pair, both ends up, MTU 9500 unless given, MAC aa:c1:ab unless given."""
    given = Endpoint("b", "eth2", "02:00:00:00:00:01")
    cables = (
        link("a:eth1", "b:eth1"),
        Link((Endpoint("a", "eth2"), given), 1400),
    )
    with Lab(topology(NodeSpec("a"), NodeSpec("b"), links=cables), workdir) as lab:
        lines = {
            name: lab.node(name).run(["ip", "-o", "link"]).stdout.splitlines() for name in "ab"
        }
    first, second = (line for line in lines["a"] if "eth" in line)
    assert "mtu 9500" in first
    assert "state UP" in first
    assert re.search(r"link/ether aa:c1:ab(:[0-9a-f]{2}){3} ", first)
    assert "mtu 1400" in second
    assert any("link/ether 02:00:00:00:00:01" in line for line in lines["b"])


def test_host_ends_and_bridges_of_the_host(workdir: Path) -> None:
    """`host:NAME` is an interface of the host; a bridge's port is joined to the host's bridge."""
    bridge, port, end = (host_interface() for _ in range(3))
    subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
    try:
        cables = (link("a:eth1", f"{HOST}:{end}"), link("a:eth2", f"{bridge}:{port}"))
        nodes = (NodeSpec("a"), NodeSpec(bridge, kind="bridge"))
        with Lab(topology(*nodes, links=cables), workdir):
            assert Path("/sys/class/net", end).exists()
            assert Path("/sys/class/net", bridge, "brif", port).exists()
        assert not Path("/sys/class/net", end).exists()
        assert not Path("/sys/class/net", port).exists()
    finally:
        subprocess.run(["ip", "link", "del", bridge], check=True)


def test_missing_bridge_is_refused_with_the_command(workdir: Path) -> None:
    """A bridge that the host lacks is refused before anything is made, with how to make it."""
    with pytest.raises(TopologyError, match="ip link add nobridge type bridge"):
        Lab(topology(NodeSpec("nobridge", kind="bridge")), workdir).up()


def test_command_begins_before_the_links(workdir: Path) -> None:
    """A node's own command starts before its links exist."""
    script = "ls /sys/class/net > /tmp/seen; while ! test -e /sys/class/net/eth1; do sleep 0.1; done; touch /tmp/linked; sleep 60"
    waits = {Stage.CREATE_LINKS: (WaitFor("b", Stage.CREATE),)}
    first = NodeSpec("a", command=("sh", "-c", script), wait_for=waits)
    second = NodeSpec("b", startup_delay_s=1)
    with Lab(topology(first, second, links=(link("a:eth1", "b:eth1"),)), workdir) as lab:
        poll(lambda: lab.node("a").run(["test", "-e", "/tmp/linked"], check=False).returncode == 0)
        assert lab.node("a").run(["cat", "/tmp/seen"]).stdout.split() == ["lo"]


def test_nodes_come_up_as_they_wait_for_each_other(workdir: Path) -> None:
    """startup-delay delays only its node; wait-for create holds a node back; exit is the cmd's end."""
    late = NodeSpec("late", startup_delay_s=1)
    after = NodeSpec("after", wait_for={Stage.CREATE: (WaitFor("late", Stage.CONFIGURE),)})
    job = NodeSpec("job", command=("sleep", "0.5"))
    last = NodeSpec("last", wait_for={Stage.CONFIGURE: (WaitFor("job", Stage.EXIT),)})
    stamp = ("cat", "/proc/uptime")
    nodes = [replace(node, exec=(stamp,)) for node in (late, after, job, last)]
    started = float(Path("/proc/uptime").read_text().split()[0])
    with Lab(topology(*nodes), workdir) as lab:
        at = {result.node: float(result.output.split()[0]) - started for result in lab.exec_results}
    assert at["job"] < at["late"] <= at["after"]
    assert at["late"] >= 1
    assert at["last"] >= 0.4


def test_sysctls_are_set_in_the_node_only(workdir: Path) -> None:
    """Sysctls are the node's: they are set there and not on the host."""
    before = Path("/proc/sys/net/ipv4/ip_default_ttl").read_text()
    node = NodeSpec("a", sysctls={"net.ipv4.ip_default_ttl": "77"})
    with Lab(topology(node), workdir) as lab:
        assert lab.node("a").run(["cat", "/proc/sys/net/ipv4/ip_default_ttl"]).stdout == "77\n"
        assert Path("/proc/sys/net/ipv4/ip_default_ttl").read_text() == before


def test_unknown_sysctl_fails_and_leaves_nothing(workdir: Path) -> None:
    """A sysctl that the kernel does not have fails the lab, names it, and leaves no node."""
    bad = NodeSpec("bad", sysctls={"net.ipv4.no_such_thing": "1"})
    lab = Lab(topology(NodeSpec("good"), bad), workdir)
    with pytest.raises(TopologyError, match="no_such_thing"):
        lab.up()
    assert not lab.nodes


def test_missing_program_is_refused_before_anything_starts(workdir: Path) -> None:
    """Images are not used, so a program that the host lacks is named, with what to do."""
    node = NodeSpec("a", command=("no-such-router", "-d"), place="x.clab.yml:3")
    with pytest.raises(TopologyError, match="no-such-router is not on"):
        Lab(topology(node), workdir).up()


def test_a_program_may_be_bound(workdir: Path) -> None:
    """A program that is bound into the node counts as present, and runs."""
    script = workdir / "start"
    script.write_text("#!/bin/sh\necho started\n", encoding="ascii")
    script.chmod(0o755)
    node = NodeSpec("a", binds=(Bind(str(script), "/opt/start"),), exec=(("/opt/start",),))
    with Lab(topology(node), workdir) as lab:
        assert lab.exec_results[0].output == "started\n"


def test_second_lab_of_one_name_is_refused(workdir: Path) -> None:
    """A lab that is up is not brought up again; the first stays."""
    first = topology(NodeSpec("a"))
    with Lab(first, workdir) as lab:
        with pytest.raises(LabError, match="already up"):
            Lab(first, workdir / "second").up()
        assert lab.node("a").run(["true"]).returncode == 0


def test_spawned_process_is_the_program_itself(workdir: Path) -> None:
    """`spawn` gives the program's own pid, its output is logged, and signals reach it."""
    with Lab(topology(NodeSpec("a")), workdir) as lab:
        log = workdir / "out.log"
        process = lab.node("a").spawn(["sh", "-c", "echo hello; exec sleep 60"], log=log)
        poll(lambda: log.read_text() == "hello\n")
        process.terminate()
        assert process.wait(10) == -15
        orphan = lab.node("a").spawn(["sleep", "60"])
        poll(lambda: "sleep 60" in lab.node("a").run(["ps", "ax"]).stdout)
    assert orphan.returncode == -9


def test_run_ends_what_takes_too_long(workdir: Path) -> None:
    """`run` kills a command, with its children, that takes longer than it may."""
    with Lab(topology(NodeSpec("a")), workdir) as lab:
        node = lab.node("a")
        with pytest.raises(subprocess.TimeoutExpired):
            node.run(["sh", "-c", "sleep 61 & sleep 62"], timeout_s=0.3)
        poll(lambda: "sleep 6" not in node.run(["ps", "ax"]).stdout)


def test_link_down_is_seen_by_the_other_end(workdir: Path) -> None:
    """A link taken down loses its carrier at the other end, and has it again when brought up."""
    nodes = (NodeSpec("a"), NodeSpec("b"))
    with Lab(topology(*nodes, links=(link("a:eth1", "b:eth1"),)), workdir) as lab:

        def carrier() -> str:
            return lab.node("b").run(["cat", "/sys/class/net/eth1/carrier"]).stdout.strip()

        lab.node("a").link_down("eth1")
        assert poll(lambda: carrier() == "0")
        lab.node("a").link_up("eth1")
        assert poll(lambda: carrier() == "1")


def test_waiting_nodes_give_up_when_another_fails(workdir: Path) -> None:
    """A failure ends the whole bring-up at once, though others still wait or run."""
    bad = NodeSpec("bad", startup_delay_s=1, sysctls={"net.no_such": "1"})
    slow = NodeSpec("slow", exec=(("sleep", "100"),))
    waiting = NodeSpec("waiting", wait_for={Stage.CREATE: (WaitFor("bad", Stage.CREATE),)})
    started = time.monotonic()
    with pytest.raises(TopologyError):
        Lab(topology(bad, slow, waiting), workdir).up()
    assert time.monotonic() - started < 60
