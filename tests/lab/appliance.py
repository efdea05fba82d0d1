"""`orchestrator run` in a node of a lab, and what tests ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.lab.runner import Node
from tests.lab.harness import poll

PEER = """
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {{name: {name}, namespace: metallb-system}}
spec: {{myASN: {asn}, peerASN: {peer_asn}, peerAddress: "{address}", holdTime: 9s{extra}}}
---
"""
POOL = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge, namespace: metallb-system}
spec: {addresses: [198.51.100.0/24, "2001:db8:1::/64"]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: all, namespace: metallb-system}
---
"""
VIP = """
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: {name}}}
spec: {{addresses: ["{address}"]{extra}}}
---
"""


def peer(
    name: str = "r",
    address: str = "10.0.0.1",
    asn: int = 64500,
    peer_asn: int = 64500,
    extra: str = "",
) -> str:
    """Text of a BGPPeer; `extra` are further fields, such as `, passive: true`."""
    return PEER.format(name=name, address=address, asn=asn, peer_asn=peer_asn, extra=extra)


def vip(name: str = "web", address: str = "198.51.100.10", extra: str = "") -> str:
    """Text of a VirtualIP; `extra` are further fields of its spec."""
    return VIP.format(name=name, address=address, extra=extra)


class Appliance:
    """One appliance: its directories, its process, its answers."""

    def __init__(self, node: Node, workdir: Path, name: str = "box") -> None:
        self.node = node
        self.name = name
        self.directory = workdir / name
        self.files = self.directory / "conf"
        self.runtime_dir = self.directory / "run"
        self.state_dir = self.directory / "state"
        self.files.mkdir(parents=True)
        self.process: subprocess.Popen[bytes] | subprocess.Popen[str] | None = None

    def write(self, text: str, name: str = "all.yaml") -> None:
        """Replace a configuration file in one step."""
        temporary = self.files / f".{name}.new"
        temporary.write_text(text, encoding="utf-8")
        temporary.rename(self.files / name)

    def argv(self, *command: str) -> list[str]:
        """Command line of `orchestrator COMMAND`."""
        return [sys.executable, "-m", "orchestrator", *command]

    def start(self, *flags: str, env: Mapping[str, str] | None = None) -> Appliance:
        """Start `orchestrator run`."""
        self.process = self.node.spawn(
            self.argv(
                "run", "-f", str(self.files), "--node", self.name, *self.directories(), *flags
            ),
            log=self.directory / "run.log",
            env={**os.environ, **(env or {})},
        )
        return self

    def directories(self) -> tuple[str, ...]:
        """Flags that make this instance its own."""
        return ("--runtime-dir", str(self.runtime_dir), "--state-dir", str(self.state_dir))

    def pid(self, role: str) -> int:
        """Process id of a role, from its lock; waits until it has one."""
        lock = self.runtime_dir / f"{role}.lock"
        return poll(lambda: int(lock.read_text() or 0) if lock.exists() else 0, what=f"{role} runs")

    def kill(self, role: str) -> int:
        """Kill a role with -9 and return its process id (of the node's own numbering)."""
        pid = self.pid(role)
        self.signal(pid, "KILL")
        return pid

    def signal(self, pid: int, name: str) -> None:
        """Send a signal to a process of the node."""
        self.node.run(["kill", f"-{name}", str(pid)])

    def is_alive(self, pid: int) -> bool:
        """Tell whether a process of the node still runs."""
        return self.node.run(["kill", "-0", str(pid)], check=False).returncode == 0

    def wait_new(self, role: str, old: int) -> int:
        """Wait until another process than `old` has the role."""
        return poll(lambda: pid if (pid := self.pid(role)) != old else 0, what=f"a new {role}")

    def stop(self, timeout_s: float = 30) -> int:
        """Ask `run` to stop; return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout_s)

    def ask(self, *command: str, status: int | None = 0) -> Any:
        """Return the JSON that a live command prints, checking its exit status."""
        done = self.call(*command, "-o", "json")
        assert status is None or done.returncode == status, (done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a live command."""
        flags = ("--runtime-dir", str(self.runtime_dir))
        return self.node.run(self.argv(*command, *flags), timeout_s=20, check=False)

    def explain(self, target: str) -> dict[str, Any]:
        """Return the last step of the only node's chain, with the answer."""
        document = self.ask("explain", target, status=None)
        step: dict[str, Any] = document["nodes"][0]["steps"][-1]
        return {
            **step,
            "answer": document["answer"],
            "announced": document["nodes"][0]["announced"],
        }

    @property
    def log(self) -> str:
        """What `run` and its roles logged so far."""
        return (self.directory / "run.log").read_text(encoding="utf-8", errors="replace")
