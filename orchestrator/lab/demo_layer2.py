"""`orchestrator demo --layer2`: three nodes share an address, its owner dies, a client measures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from orchestrator.lab.asking import Asking, Gap, serve
from orchestrator.lab.commands import orchestrator
from orchestrator.lab.demo_namespaces import free_name
from orchestrator.lab.node import Node
from orchestrator.lab.runner import Lab
from orchestrator.lab.scene import DemoError
from orchestrator.lab.segment import segment
from orchestrator.lab.telling import Telling

T = TypeVar("T")

VIP = "192.168.1.240"
NODES = {"node1": "192.168.1.1", "node2": "192.168.1.2", "node3": "192.168.1.3"}
CLIENT = "client"
CLIENT_ADDRESS = "192.168.1.100"
INTERVAL_MS = 100
ASK_EVERY_MS = 2.0
LIMIT_S = 0.5
"""The demo fails when the client had to wait longer than this (DESIGN 15)."""
WAIT_S = 20.0
SEEN_AFTER_S = 1.0
"""How long the client goes on asking after a failover, to see that it lasts."""
CONFIGURATION = f"""\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: lan, namespace: metallb-system}}
spec: {{addresses: [192.168.1.240-192.168.1.250]}}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {{name: lan, namespace: metallb-system}}
---
apiVersion: orchestrator.io/v1alpha1
kind: Settings
metadata: {{name: all, namespace: metallb-system}}
spec: {{membership: {{intervalMs: {INTERVAL_MS}}}}}
---
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: web}}
spec: {{addresses: [{VIP}]}}
"""


class Layer2Demo(Telling):
    """One run of the story; `say` takes lines for people. Everything ends with `close`."""

    def __init__(self, workdir: Path, say: Callable[[str], None]) -> None:
        super().__init__(say)
        self._workdir = workdir
        addresses = {name: [f"{a}/24"] for name, a in {**NODES, CLIENT: CLIENT_ADDRESS}.items()}
        self._lab = Lab(segment(free_name(), addresses), workdir)
        self._running: dict[str, list[subprocess.Popen[str]]] = {}

    def run(self) -> None:
        """Tell the whole story. DemoError when something is not as it should be."""
        self._step(f"Setting up {', '.join(NODES)} and a client on one switch")
        self._lab.up()
        for name in NODES:
            self._start(name)
        self._step(f"All three may own {VIP}; they agree on one by talking to each other")
        first = self._settled(NODES)
        client = Asking(self._lab.node(CLIENT), VIP, ASK_EVERY_MS, self._workdir / f"{CLIENT}.log")
        self._wait(f"an answer of {first}", lambda: client.owner() == first)
        self._say(f"  {first} answers for {VIP}; the client has it at {self._neighbor()}")
        self._kill(first, client)
        self._stop(client.owner(), first, client)
        seen = client.stop()
        self._step(
            f"All of it was so: of {seen.sent} questions {seen.answered} were answered, and the"
            f" longest time without an answer was {seen.longest_s * 1000:.0f} ms"
        )

    def close(self) -> None:
        """End every node with all that runs in it."""
        self._lab.down()

    def _start(self, name: str) -> None:
        node = self._lab.node(name)
        node.run(["install", "-d", "/etc/orchestrator"])
        node.run(["tee", "/etc/orchestrator/vip.yaml"], stdin=CONFIGURATION)
        argv = [*orchestrator("run"), "-f", "/etc/orchestrator", "--node", name, "--http", "off"]
        echo = serve(node, name, VIP, log=self._workdir / f"{name}-echo.log")
        self._running[name] = [node.spawn(argv, log=self._workdir / f"{name}.log"), echo]

    def _kill(self, name: str, client: Asking) -> None:
        self._step(f"Killing {name}, as if its power was cut; the client asks every 2 ms")
        moment = time.monotonic()
        self._power_off(name)
        gap = self._failover(name, client, moment)
        self._say(
            f"  the client was without an answer for {gap.gap_s * 1000:.0f} ms; then"
            f" {gap.after} answered, from {self._neighbor()}"
        )
        if gap.gap_s > LIMIT_S:
            raise DemoError(
                f"expected a failover within {LIMIT_S * 1000:.0f} ms with hellos every"
                f" {INTERVAL_MS} ms, but it took {gap.gap_s * 1000:.0f} ms"
            )

    def _power_off(self, name: str) -> None:
        """Nothing that is killed can clean up; what answers from the kernel is cut off with it."""
        self._lab.node(name).link_down("eth1")
        for process in self._running.pop(name):
            os.killpg(process.pid, signal.SIGKILL)

    def _failover(self, name: str, client: Asking, moment: float) -> Gap:
        def found() -> list[Gap]:
            return [gap for gap in client.gaps(moment) if gap.before == name != gap.after]

        self._wait(f"somebody to answer instead of {name}", lambda: bool(found()))
        time.sleep(SEEN_AFTER_S)
        return found()[0]

    def _stop(self, name: str, dead: str, client: Asking) -> None:
        self._step(f"Stopping {name} in an orderly way: it answers until the next one does")
        moment = time.monotonic()
        process = self._running[name][0]
        process.terminate()
        try:
            status = process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{name} has not stopped after {WAIT_S:.0f} s") from None
        if status:
            raise DemoError(f"{name} ended with status {status}; its log is {name}.log")
        self._failover(name, client, moment)
        longest_s = max(gap.gap_s for gap in client.gaps(moment))
        self._say(
            f"  {client.owner()} answers now; the longest time between two answers was"
            f" {longest_s * 1000:.0f} ms"
        )
        left = set(NODES) - {name, dead}
        if client.owner() not in left:
            raise DemoError(f"expected an answer of {', '.join(left)}, not of {client.owner()}")

    def _settled(self, names: Sequence[str] | dict[str, str]) -> str:
        """Wait until exactly one node says that it announces the VIP."""

        def owners() -> list[str]:
            return [name for name in names if self._announces(self._lab.node(name))]

        self._wait("one owner", lambda: len(owners()) == 1)
        return owners()[0]

    def _announces(self, node: Node) -> bool:
        done = node.run([*orchestrator("vips"), "-o", "json"], timeout_s=20, check=False)
        items = json.loads(done.stdout or "{}").get("items", [])
        return any(item["reason"] == "announced" for item in items)

    def _neighbor(self) -> str:
        argv = ["ip", "-j", "neigh", "show", VIP]
        found = json.loads(self._lab.node(CLIENT).run(argv).stdout or "[]")
        return str(found[0].get("lladdr", "nowhere")) if found else "nowhere"

    def _wait(self, what: str, so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not so():
            if time.monotonic() > deadline:
                raise DemoError(f"expected {what} within {WAIT_S:.0f} s")
            time.sleep(0.02)
