"""Brings a topology up in network namespaces, and takes it down without leaving anything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from orchestrator.lab.birth import Birth, bury, give_birth, program_directories
from orchestrator.lab.bringup import BringUp, ExecResult
from orchestrator.lab.links import check_bridges, host_interfaces
from orchestrator.lab.namespaces import anchors
from orchestrator.lab.node import Node
from orchestrator.lab.programs import check_programs
from orchestrator.lab.topology import NodeSpec, Topology

__all__ = ["ExecResult", "Lab", "LabError", "Node"]

PROGRAMS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux"}
"""What the runner itself needs, with the Debian packages."""
GONE_TIMEOUT_S = 10.0
"""How long the kernel may take to remove what a node held."""


class LabError(Exception):
    """The lab cannot be brought up or taken down here; the message says what to do."""


class Lab:
    """A topology that is up while the `with` block lasts (or, when `detached`, until `take_down` is called).

    `workdir` keeps the logs. Everything else of a node is in namespaces held by its anchor, which
    ends with this process: not even kill -9 of it leaves anything. `visible` are further paths of
    the host that nodes see as they are (their /tmp and /run are their own).
    """

    def __init__(
        self,
        topology: Topology,
        workdir: Path,
        *,
        detached: bool = False,
        visible: Sequence[Path] = (),
    ) -> None:
        self.topology = topology
        self.workdir = workdir.resolve()
        self.exec_results: list[ExecResult] = []
        self._detached = detached
        self._visible = tuple(visible)
        self._nodes: dict[str, Node] = {}
        self._anchors: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Nodes that are up, by name; bridges of the host are not among them."""
        return self._nodes

    def node(self, name: str) -> Node:
        """Return the running node `name`; KeyError when the topology has none."""
        return self._nodes[name]

    def up(self) -> None:
        """Bring every node up; after a failure nothing is left.

        LabError or TopologyError when it cannot be done. A failing `exec` is no error
        (containerlab does not fail either): see `exec_results`.
        """
        check_host()
        check_bridges(self.topology)
        check_programs(self.topology)
        self._refuse_second()
        self.workdir.mkdir(parents=True, exist_ok=True)
        bring_up = BringUp(self.topology, self._create, self._nodes)
        try:
            self.exec_results = bring_up.run()
        except BaseException:
            self.down()
            raise

    def _refuse_second(self) -> None:
        running = running_nodes(self.topology)
        if running:
            names = ", ".join(sorted(running))
            raise LabError(f"lab {self.topology.name} is already up ({names}): take it down first")

    def _create(self, spec: NodeSpec) -> Node:
        birth = Birth(
            self.topology.container(spec.name),
            self.workdir / ".nodes" / spec.name,
            (
                *program_directories(),
                self.topology.directory.resolve(),
                self.workdir,
                *self._visible,
            ),
            self._detached,
        )
        anchor = give_birth(spec, birth)
        self._anchors[spec.name] = anchor
        return Node(spec.name, anchor.pid, node_env(self.topology, spec), self.workdir)

    def down(self) -> None:
        """End every process of every node and wait until the kernel has taken all away."""
        for anchor in self._anchors.values():
            anchor.kill()
        for node in self._nodes.values():
            node.reap()
        for anchor in self._anchors.values():
            bury(anchor)
        self._anchors.clear()
        self._nodes.clear()
        wait_until(lambda: not any(path.exists() for path in host_interfaces(self.topology)))
        remove_staging(self.workdir)


def node_env(topology: Topology, spec: NodeSpec) -> dict[str, str]:
    """Environment of a node's programs: its own, and how many interfaces it will have."""
    return {"CLAB_INTFS": str(len(topology.links_of(spec.name))), **spec.env}


def check_host() -> None:
    """LabError when this user or this machine cannot have network namespaces."""
    if os.geteuid() != 0:
        raise LabError("network namespaces need root: run it with sudo")
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            raise LabError(f"{program} is not installed: apt-get install {package}")
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork"]
    tried = subprocess.run(["unshare", *namespaces, "true"], capture_output=True, check=False)
    if tried.returncode:
        raise LabError("this root may not make namespaces: run it outside of the container")
    if not _has_overlay() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "overlay"], capture_output=True, check=False)
    if not _has_overlay():
        raise LabError("the kernel has no overlayfs, which a node's file system is made of")


def _has_overlay() -> bool:
    return "overlay" in Path("/proc/filesystems").read_text("utf-8").split()


def running_nodes(topology: Topology) -> dict[str, int]:
    """Nodes of `topology` that are up on this host, whoever started them, with their pids."""
    up = anchors()
    names = {name: topology.container(name) for name in topology.nodes}
    return {name: up[container] for name, container in names.items() if container in up}


def attach(topology: Topology, workdir: Path) -> dict[str, Node]:
    """Return the running nodes of a lab that another process brought up."""
    return {
        name: Node(name, pid, node_env(topology, topology.nodes[name]), workdir)
        for name, pid in running_nodes(topology).items()
    }


def take_down(topology: Topology, workdir: Path) -> list[str]:
    """Take a lab down by its name and return the nodes that were up.

    It also removes what a lab left that was killed while it came up.
    """
    check_host()
    running = running_nodes(topology)
    for pid in running.values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not running_nodes(topology))
    wait_until(lambda: not any(path.exists() for path in host_interfaces(topology)))
    remove_staging(workdir)
    return sorted(running)


def wait_until(gone: Callable[[], bool]) -> None:
    """Poll `gone`; LabError when it is still not so after GONE_TIMEOUT_S."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while not gone():
        if time.monotonic() > deadline:
            raise LabError(f"something of the lab is still there after {GONE_TIMEOUT_S:.0f} s")
        time.sleep(0.02)


def remove_staging(workdir: Path) -> None:
    """Remove the empty directories that nodes were mounted on; the logs stay."""
    shutil.rmtree(workdir / ".nodes", ignore_errors=True)


def remove_logs(topology: Topology, workdir: Path) -> None:
    """Remove the logs of a lab, and their directory if nothing else is in it."""
    for node in topology.nodes:
        for log in [workdir / f"{node}.log", *workdir.glob(f"{node}-*.log")]:
            log.unlink(missing_ok=True)
    with suppress(OSError):
        workdir.rmdir()
