"""The demo in network namespaces: R1 is FRR, and a client's requests go through its kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.lab import demo_files as files
from orchestrator.lab import frr
from orchestrator.lab.commands import orchestrator
from orchestrator.lab.frr import Frr
from orchestrator.lab.namespaces import anchors
from orchestrator.lab.node import Node
from orchestrator.lab.runner import Lab, LabError, check_host
from orchestrator.lab.scene import DemoError, SeenPath

STOP_LIMIT_S = 20.0
REQUESTS_BY_HAND = 30


def free_name() -> str:
    """`demo`, or `demo-2` and so on while other demos run on this host."""
    taken = anchors()
    names = ["demo", *(f"demo-{number}" for number in range(2, 100))]
    return next(n for n in names if not any(c.startswith(f"clab-{n}-") for c in taken))


class NamespaceScene:
    """Six nodes on this host; everything in them ends with this process."""

    appliances: Mapping[str, str] = files.APPLIANCES
    requests = f"of a client behind R1 to http://{files.VIP}/"
    left_out: Sequence[str] = ()
    title = "R1 (FRR), three nodes with orchestrator, and a client, in network namespaces"

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self._lab = Lab(files.demo_topology(free_name()), workdir)
        self._running: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> None:
        """Bring the lab up and start FRR, the appliances and the servers behind the VIP."""
        self._lab.up()
        failed = [result for result in self._lab.exec_results if result.returncode]
        if failed:
            raise DemoError(f"{failed[0].node}: {' '.join(failed[0].argv)}: {failed[0].output}")
        for name in self.appliances:
            self._start_appliance(self._lab.node(name))
            self._start_web(self._lab.node(name))
        self._router().start(files.frr_configuration())

    def _router(self) -> Frr:
        return Frr(self._lab.node("r1"))

    def _start_appliance(self, node: Node) -> None:
        objects = files.appliance_objects({"peerAddress": files.ROUTER}, bind="lo")
        node.run(["install", "-d", "/etc/orchestrator"])
        node.run(["tee", "/etc/orchestrator/vip.yaml"], stdin=objects)
        argv = [*orchestrator("run"), "-f", "/etc/orchestrator", "--node", node.name]
        log = self._workdir / f"{node.name}.log"
        self._running[node.name] = node.spawn([*argv, "--http", "off"], log=log)

    def _start_web(self, node: Node) -> None:
        web = [sys.executable, "-m", "orchestrator.lab.web", node.name, files.VIP]
        node.spawn([*web, str(files.WEB_PORT)])

    def close(self) -> None:
        """End every node with all that runs in it."""
        self._lab.down()

    def established(self) -> frozenset[str]:
        """Neighbors of R1 that FRR calls Established."""
        return self._router().established()

    def paths(self) -> Sequence[SeenPath]:
        """Paths to the VIP in FRR's table."""
        found = self._router().json(f"show bgp ipv4 unicast {files.VIP_PREFIX}").get("paths", [])
        return sorted((_path(path) for path in found), key=lambda path: path.next_hop)

    def summary(self) -> str:
        """Return what `show ip bgp summary` says."""
        return self._router().vtysh("show ip bgp summary")

    def bgp_table(self) -> str:
        """Return the table of `show ip bgp`, without its legend."""
        lines = self._router().vtysh("show ip bgp").splitlines()
        start = next(n for n, line in enumerate(lines) if line.lstrip().startswith("Network"))
        return "\n".join(line for line in lines[start:] if line)

    def table(self) -> str:
        """Return the routes of `show ip route bgp`, without its legend."""
        lines = self._router().vtysh("show ip route bgp").splitlines()
        return "\n".join(line for line in lines if " via " in line)

    def kernel_hops(self) -> tuple[str, frozenset[str]]:
        """Return what `ip route` of R1 says."""
        route = ["ip", "route", "show", files.VIP]
        node = self._lab.node("r1")
        found = json.loads(node.run([*route[:1], "-j", *route[1:]]).stdout or "[]")
        hops = {hop.get("gateway") for one in found for hop in one.get("nexthops", [one])}
        return node.run(route).stdout, frozenset(hops)

    def ask(self, count: int) -> Mapping[str, int]:
        """Send requests from the client's node through R1."""
        asked = self._lab.node("client").run(self._requests(count), timeout_s=120)
        answers: dict[str, int] = json.loads(asked.stdout)
        return answers

    def _requests(self, count: int) -> list[str]:
        target = f"{files.VIP}:{files.WEB_PORT}"
        return [sys.executable, "-m", "orchestrator.lab.requests", str(count), target]

    def stop(self, name: str) -> None:
        """Send TERM to `orchestrator run` and wait for its end."""
        process = self._running.pop(name)
        process.terminate()
        try:
            status = process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{name} has not stopped after {STOP_LIMIT_S:.0f} s") from None
        if status:
            raise DemoError(f"{name} ended with status {status}; its log is {name}.log")

    def drain(self, name: str, wait_s: int) -> None:
        """Run `orchestrator drain` in the node."""
        argv = [*orchestrator("drain"), "--wait", str(wait_s)]
        done = self._lab.node(name).run(argv, timeout_s=20, check=False)
        if done.returncode:
            raise DemoError(f"orchestrator drain in {name}: {done.stderr.strip()}")

    def resume(self, names: Sequence[str]) -> None:
        """Start `orchestrator run` where it was stopped, and undrain the others."""
        for name in names:
            if name in self._running:
                self._lab.node(name).run(orchestrator("undrain"), timeout_s=20)
            else:
                self._start_appliance(self._lab.node(name))

    def look_around(self) -> Sequence[str]:
        """Return commands that run in the nodes."""
        router, box, client = (self._lab.node(name) for name in ("r1", "lb72", "client"))
        return (
            " ".join(router.enter_argv(["vtysh"])),
            " ".join(box.enter_argv([*orchestrator("status")])),
            " ".join(box.enter_argv([*orchestrator("explain"), files.VIP])),
            " ".join(client.enter_argv(self._requests(REQUESTS_BY_HAND))),
            f"logs are in {self._workdir}",
        )


def _path(path: Mapping[str, Any]) -> SeenPath:
    best = path.get("bestpath", {}).get("overall", False)
    communities = path.get("community", {}).get("string", "").split()
    names = {"graceful-shutdown": "65535:0"}
    return SeenPath(
        path["nexthops"][0]["ip"],
        path.get("locPrf", 100),
        tuple(names.get(name, name) for name in communities),
        best or path.get("multipath", False),
    )


def lacking() -> str | None:
    """Say what keeps the demo from running in this form; None when nothing does."""
    try:
        check_host()
    except LabError as error:
        return str(error)
    return frr.lacking()
