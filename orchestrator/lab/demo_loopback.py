"""The demo on loopback addresses and high ports: no root, no namespaces, no package needed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator.lab import demo_files as files
from orchestrator.lab import receiver, requests
from orchestrator.lab.commands import orchestrator
from orchestrator.lab.scene import DemoError, SeenPath

ROUTER = "127.0.0.1"
APPLIANCES = {"lb72": "127.0.0.72", "lb170": "127.0.0.170", "lb224": "127.0.0.224"}
STOP_LIMIT_S = 20.0
EXABGP_ENVIRONMENT = {
    "exabgp_api_cli": "false",
    "exabgp_daemon_drop": "false",
    "exabgp_log_destination": "stderr",
}
NEIGHBOR = """
neighbor {address} {{
    router-id {router_id}; local-address {router}; local-as {asn}; peer-as {asn};
    hold-time 9; passive true; listen {port};
    family {{ ipv4 unicast; }}
    api {{ processes [ table ]; neighbor-changes; receive {{ parsed; update; }} }}
}}
"""


def free_port(address: str) -> int:
    """Return a TCP port that nothing uses on `address` at the moment.

    It is one that a BGPPeer may name: MetalLB's API has 1 to 16384.
    """
    for port in range(11790, 16384):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((address, port))
            return port
    raise DemoError(f"every TCP port of {address} from 11790 to 16384 is in use")


class LoopbackScene:
    """Processes of this user: a receiving ExaBGP as R1, three appliances, three servers."""

    appliances: Mapping[str, str] = APPLIANCES
    title = "R1 (a receiving ExaBGP) and three nodes with orchestrator, on loopback addresses"
    requests = "to the servers at R1's next hops, in turn"
    left_out: Sequence[str] = (
        "a real router: ExaBGP receives the routes, and the tables are drawn by the demo",
        "the kernel: no VIP is bound and no route installed; requests go to the next hops in turn",
    )

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self._table = workdir / "r1-table.json"
        self._port = free_port(ROUTER)
        self._web_ports = {name: free_port(address) for name, address in APPLIANCES.items()}
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._others: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Start everything, each with its log in the work directory."""
        self._start_router()
        for name, address in APPLIANCES.items():
            self._write(name, address)
            self._start_appliance(name)
            web = [sys.executable, "-m", "orchestrator.lab.web", name, address]
            self._others.append(self._spawn(f"{name}-web", [*web, str(self._web_ports[name])]))

    def _write(self, name: str, address: str) -> None:
        directory = self._workdir / name / "conf"
        directory.mkdir(parents=True)
        peer = {"peerAddress": ROUTER, "peerPort": self._port, "sourceAddress": address}
        text = files.appliance_objects(peer, bind="none")
        (directory / "vip.yaml").write_text(text, encoding="utf-8")

    def _start_appliance(self, name: str) -> None:
        directory = self._workdir / name
        flags = ["-f", str(directory / "conf"), "--node", name, "--http", "off"]
        directories = ["--state-dir", str(directory / "state"), *self._runtime(name)]
        self._running[name] = self._spawn(name, [*orchestrator("run"), *flags, *directories])

    def _start_router(self) -> None:
        program = f"python3 -m orchestrator.lab.receiver {self._table}"
        text = f"process table {{ run {program}; encoder json; }}\n" + "".join(
            NEIGHBOR.format(
                address=address,
                router_id=files.ROUTER_ID,
                router=ROUTER,
                asn=files.AS,
                port=self._port,
            )
            for address in APPLIANCES.values()
        )
        configuration = self._workdir / "r1.conf"
        configuration.write_text(text, encoding="utf-8")
        argv = [sys.executable, "-m", "exabgp", "server", str(configuration)]
        path = str(Path(sys.executable).parent)  # of several, ExaBGP would take the last python3
        self._others.append(self._spawn("r1", argv, {**EXABGP_ENVIRONMENT, "PATH": path}))

    def _runtime(self, name: str) -> list[str]:
        return ["--runtime-dir", str(self._workdir / name / "run")]

    def _spawn(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        with (self._workdir / f"{name}.log").open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=self._workdir,
                text=True,
                start_new_session=True,
            )

    def close(self) -> None:
        """End everything: the appliances in order, then the rest."""
        started = [*self._running.values(), *self._others]
        for process in started:
            process.terminate()
        for process in started:
            _end(process)
        self._running.clear()
        self._others.clear()

    def _read(self) -> receiver.Table:
        try:
            table: receiver.Table = json.loads(self._table.read_text("utf-8"))
        except FileNotFoundError:
            return receiver.empty()
        return table

    def established(self) -> frozenset[str]:
        """Peers that R1's ExaBGP has called up."""
        return frozenset(self._read()["up"])

    def paths(self) -> Sequence[SeenPath]:
        """Paths to the VIP; those with the highest local preference are used."""
        found = [routes.get(files.VIP_PREFIX) for routes in self._read()["paths"].values()]
        return select([path for path in found if path])

    def summary(self) -> str:
        """Return R1's sessions, laid out as routers do."""
        table = self._read()
        lines = [f"BGP router identifier {files.ROUTER_ID}, local AS number {files.AS}", ""]
        lines.append(f"{'Neighbor':16}{'V':2}{'AS':>7}  State/PfxRcd")
        for address in APPLIANCES.values():
            received = len(table["paths"].get(address, {}))
            state = str(received) if address in table["up"] else "Active"
            lines.append(f"{address:16}{4:<2}{files.AS:>7}  {state}")
        return "\n".join(lines)

    def bgp_table(self) -> str:
        """Return R1's paths, laid out as routers do."""
        lines = [f"   {'Network':20}{'Next Hop':18}{'LocPrf':>7}"]
        for path in self.paths():
            mark = "*>" if path.used else "* "
            lines.append(f"{mark}i{files.VIP_PREFIX:20}{path.next_hop:18}{path.local_pref:>7}")
        return "\n".join(lines)

    def table(self) -> str:
        """Return R1's route, as `show ip route bgp` would; 200 is the distance of iBGP."""
        hops = [path.next_hop for path in self.paths() if path.used]
        first = f"B    {files.VIP_PREFIX} "
        heads = [first, *[" " * len(first)] * (len(hops) - 1)]
        return "\n".join(f"{head}[200/0] via {hop}" for head, hop in zip(heads, hops, strict=True))

    def kernel_hops(self) -> None:
        """No kernel route is made here."""

    def ask(self, count: int) -> Mapping[str, int]:
        """Send requests to the next hops that R1 uses, in turn."""
        names = {address: name for name, address in APPLIANCES.items()}
        hops = [path.next_hop for path in self.paths() if path.used]
        return requests.count(count, [f"{hop}:{self._web_ports[names[hop]]}" for hop in hops])

    def stop(self, name: str) -> None:
        """Send TERM to `orchestrator run` and wait for its end."""
        process = self._running.pop(name)
        process.terminate()
        if _end(process):
            raise DemoError(f"{name} ended with status {process.returncode}; its log: {name}.log")

    def drain(self, name: str, wait_s: int) -> None:
        """Run `orchestrator drain` against the appliance's runtime directory."""
        argv = [*orchestrator("drain"), "--wait", str(wait_s), *self._runtime(name)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
        if done.returncode:
            raise DemoError(f"orchestrator drain for {name}: {done.stderr.strip()}")

    def resume(self, names: Sequence[str]) -> None:
        """Start `orchestrator run` where it was stopped, and undrain the others."""
        for name in names:
            if name in self._running:
                subprocess.run(
                    [*orchestrator("undrain"), *self._runtime(name)],
                    check=True,
                    timeout=20,
                    capture_output=True,
                )
            else:
                self._start_appliance(name)

    def look_around(self) -> Sequence[str]:
        """Return commands that ask an appliance."""
        runtime = self._runtime("lb72")
        return (
            " ".join([*orchestrator("status"), *runtime]),
            " ".join([*orchestrator("explain"), files.VIP, *runtime]),
            f"logs, configuration files and R1's table are in {self._workdir}",
        )


def select(found: Sequence[Mapping[str, Any]]) -> list[SeenPath]:
    """Mark the paths of the highest local preference as used (RFC 4271 9.1.2.1), for ECMP."""
    best = max((path["localPref"] for path in found), default=0)
    return [
        SeenPath(
            path["nextHop"],
            path["localPref"],
            tuple(path["communities"]),
            path["localPref"] == best,
        )
        for path in found
    ]


def _end(process: subprocess.Popen[str]) -> int:
    """Wait for a process that was asked to end, and kill it when it does not."""
    try:
        return process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
