"""FRR (zebra and bgpd) as the router in a node of a lab."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from orchestrator.lab.node import Node
from orchestrator.lab.runner import LabError

DIRECTORY = Path("/usr/lib/frr")
DAEMONS = ("zebra", "bgpd")
START_LIMIT_S = 20.0


def lacking() -> str | None:
    """Say what of FRR is not on this host; None when all is there."""
    if (DIRECTORY / "bgpd").exists() and shutil.which("vtysh"):
        return None
    return "FRR is not installed (apt-get install frr)"


class Frr:
    """zebra and bgpd of a node, once `start` was called; they end with the node."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def start(self, configuration: str) -> None:
        """Start the daemons and load an frr.conf; LabError with FRR's last words when it does not."""
        self.node.run(["install", "-d", "-o", "frr", "-g", "frr", "/run/frr"])
        self.node.run(["tee", "/etc/frr/frr.conf"], stdin=configuration)
        for daemon in DAEMONS:
            self.node.spawn([str(DIRECTORY / daemon), "-u", "frr", "-g", "frr", "--log", "stdout"])
            self._wait(daemon)
        loaded = self.node.run(["vtysh", "-b"], timeout_s=60, check=False)
        if loaded.returncode:
            raise LabError(f"FRR does not take its configuration: {loaded.stderr}")

    def _wait(self, daemon: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        show = ["vtysh", "-d", daemon, "-c", "show version"]
        while self.node.run(show, timeout_s=20, check=False).returncode:
            if time.monotonic() > deadline:
                raise LabError(f"waited {START_LIMIT_S:.0f} s for {daemon} to start")
            time.sleep(0.05)

    def vtysh(self, command: str) -> str:
        """Run a command and return what it prints."""
        return self.node.run(["vtysh", "-c", command], timeout_s=60).stdout

    def json(self, command: str) -> dict[str, Any]:
        """Run `command json` and return what it says; {} when it says nothing."""
        found: dict[str, Any] = json.loads(self.vtysh(f"{command} json") or "{}")
        return found

    def established(self) -> frozenset[str]:
        """Neighbors that bgpd calls Established."""
        states = self.json("show bgp neighbors")
        up = {a for a, n in states.items() if n.get("bgpState") == "Established"}
        return frozenset(up)
