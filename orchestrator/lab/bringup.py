"""The order in which a lab comes up: every node by itself, held only by what it waits for."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.lab.links import Cabling
from orchestrator.lab.node import Node
from orchestrator.lab.topology import HOST, Link, NodeSpec, Stage, Topology

EXEC_TIMEOUT_S = 120.0
"""An `exec` that takes longer is ended and counts as failed."""
RECHECK_S = 0.05
"""How often a wait for another node's end looks again."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How one `exec` of a node ended; a failure does not fail the lab (as in containerlab)."""

    node: str
    argv: tuple[str, ...]
    returncode: int
    output: str


class AbortedError(Exception):
    """The lab is being given up, because another node failed or the user said so."""


class BringUp:
    """One bring-up. `create` makes a node and begins its command; it is called in the node's thread."""

    def __init__(
        self, topology: Topology, create: Callable[[NodeSpec], Node], nodes: dict[str, Node]
    ) -> None:
        self._topology = topology
        self._create = create
        self._nodes = nodes
        self._pids: dict[str, int] = {}
        self._cabling = Cabling(topology, self._pids)
        self._changed = threading.Condition()
        self._done: set[tuple[str, Stage]] = set()
        self._at_links: set[str] = {HOST}
        self._linked: set[Link] = set()
        self._aborted = False
        self.commands: dict[str, subprocess.Popen[str]] = {}
        self.results: list[ExecResult] = []

    def run(self) -> list[ExecResult]:
        """Bring all nodes up and return what their `exec` lists said; the first error is raised."""
        specs = self._topology.nodes.values()
        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            try:
                jobs = [pool.submit(self._bring_up, spec) for spec in specs]
                for job in as_completed(jobs):
                    job.result()
            except BaseException:
                self.abort()
                raise
        return self.results

    def abort(self) -> None:
        """Let every waiting node give up, and end what runs in those that are there."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
        for node in list(self._nodes.values()):
            node.kill()

    def _bring_up(self, spec: NodeSpec) -> None:
        with self._stage(spec, Stage.CREATE):
            if spec.kind == "linux":
                self._make(spec)
        with self._stage(spec, Stage.CREATE_LINKS):
            self._link(spec.name)
        with self._stage(spec, Stage.CONFIGURE):
            pass
        for argv in spec.exec:
            self._execute(self._nodes[spec.name], argv)

    def _make(self, spec: NodeSpec) -> None:
        self._pause(spec.startup_delay_s)
        node = self._create(spec)
        with self._changed:
            self._nodes[spec.name] = node
            self._pids[spec.name] = node.pid
        if spec.command:
            self.commands[spec.name] = node.spawn(spec.command, log=node.logs / f"{spec.name}.log")

    @contextmanager
    def _stage(self, spec: NodeSpec, stage: Stage) -> Iterator[None]:
        """Enter `stage` when everything it waits for is finished; mark it finished at the end."""
        awaited = [(other.node, other.stage) for other in spec.wait_for.get(stage, ())]
        self._wait(lambda: all(self._finished(*other) for other in awaited))
        yield
        with self._changed:
            self._done.add((spec.name, stage))
            self._changed.notify_all()

    def _finished(self, node: str, stage: Stage) -> bool:
        if stage is Stage.EXIT:
            return node in self.commands and self.commands[node].poll() is not None
        return (node, stage) in self._done

    def _wait(self, ready: Callable[[], bool]) -> None:
        with self._changed:
            while not ready():
                self._changed.wait(RECHECK_S)
                if self._aborted:
                    raise AbortedError

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._aborted, timeout=seconds)
            if self._aborted:
                raise AbortedError

    def _link(self, node: str) -> None:
        """Make the links whose other end is here too, then wait until all of this node's exist."""
        mine = self._topology.links_of(node)
        with self._changed:
            self._at_links.add(node)
            for link in mine:
                if link not in self._linked and all(
                    end.node in self._at_links for end in link.ends
                ):
                    self._cabling.connect(link)
                    self._linked.add(link)
            self._changed.notify_all()
        self._wait(lambda: self._linked.issuperset(mine))

    def _execute(self, node: Node, argv: tuple[str, ...]) -> None:
        try:
            result = node.run(argv, timeout_s=EXEC_TIMEOUT_S, check=False)
            ended = ExecResult(node.name, argv, result.returncode, result.stdout + result.stderr)
        except subprocess.TimeoutExpired:
            ended = ExecResult(node.name, argv, 124, f"not finished after {EXEC_TIMEOUT_S:.0f} s")
        with self._changed:
            self.results.append(ended)
            if self._aborted:
                raise AbortedError
