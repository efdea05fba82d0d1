"""Nodes that share VIPs on one segment, and a client that asks for one of them all the time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orchestrator.lab.asking import Asking, serve
from orchestrator.lab.node import Node
from orchestrator.lab.runner import Lab
from orchestrator.lab.segment import SWITCH
from tests.lab.appliance import Appliance
from tests.lab.harness import joined
from tests.lab.polling import poll

VIP = "10.0.0.240"
VIP6 = "fd00::240"
CLIENT = "client"
INTERVAL_MS = 2
"""Time between a client's questions."""
POOL = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: edge, namespace: metallb-system}
spec: {addresses: [10.0.0.192/26, "fd00::200/120", 10.1.0.0/16]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: all, namespace: metallb-system}
---
"""
SETTINGS = """
apiVersion: orchestrator.io/v1alpha1
kind: Settings
metadata: {{name: all, namespace: metallb-system}}
spec: {{membership: {{{membership}}}}}
---
"""
QUICK = "intervalMs: 100, preemptDelayMs: 1000"
"""The interval of the product, and a shorter hold so that tests end sooner."""


def virtual_ips(*addresses: str, extra: str = "") -> str:
    """Text of a VirtualIP for each address."""
    return "".join(
        f"apiVersion: orchestrator.io/v1alpha1\nkind: VirtualIP\nmetadata: {{name: vip-{number}}}\n"
        f'spec: {{addresses: ["{address}"]{extra}}}\n---\n'
        for number, address in enumerate(addresses)
    )


def wait_answered(client: Asking, by: str | None = None, timeout_s: float = 20) -> str:
    """Wait until somebody answers the client, or until `by` does; return who."""
    return poll(
        lambda: owner if (owner := client.owner()) and by in {None, owner} else "",
        timeout_s,
        f"an answer of {by or 'anybody'}",
    )


class Segment:
    """Nodes under `orchestrator run`, a client, and the switch between them, up in a `with` block."""

    def __init__(
        self,
        workdir: Path,
        names: Sequence[str] = ("n1", "n2", "n3"),
        *,
        settings: str = QUICK,
        networks: Sequence[str] = ("10.0.0.0/24", "fd00::/64"),
    ) -> None:
        workdir.chmod(0o755)
        self.names = tuple(names)
        self._workdir = workdir
        self._settings = settings
        self.lab: Lab = joined(workdir, *names, CLIENT, networks=networks)
        self.boxes: dict[str, Appliance] = {}
        self._echoes: dict[str, subprocess.Popen[str]] = {}
        self._clients = 0

    def __enter__(self) -> Self:
        self.lab.__enter__()
        for name in self.names:
            self.boxes[name] = Appliance(self.node(name), self._workdir, name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lab.__exit__(kind, error, trace)

    def node(self, name: str) -> Node:
        """Return a node of the lab."""
        return self.lab.node(name)

    def write(self, *addresses: str, extra: str = "", names: Sequence[str] = ()) -> None:
        """Write the same files for all nodes, or for some."""
        for name in names or self.names:
            settings = SETTINGS.format(membership=self._settings)
            self.boxes[name].write(POOL + settings + virtual_ips(*addresses, extra=extra))

    def start(self, *addresses: str, names: Sequence[str] = ()) -> None:
        """Start `orchestrator run` on all nodes, or some, with a server behind the addresses."""
        wanted = addresses or (VIP,)
        self.write(*wanted, names=names)
        for name in names or self.names:
            self.boxes[name].start("--http", "off")
            self.serve(name, *wanted[:2])

    def serve(self, name: str, *addresses: str) -> None:
        """Start the server that answers a client with the name of the node."""
        log = self._workdir / f"{name}-echo.log"
        self._echoes[name] = serve(self.node(name), name, *addresses, log=log)

    def client(self, address: str = VIP, interval_ms: float = INTERVAL_MS) -> Asking:
        """Start a client."""
        self._clients += 1
        log = self._workdir / f"client-{self._clients}.log"
        return Asking(self.node(CLIENT), address, interval_ms, log)

    def power_off(self, name: str) -> float:
        """Kill everything that answers on a node at once; return when (monotonic clock)."""
        process = self.boxes[name].process
        assert process is not None
        victims = [process.pid, self._echoes[name].pid]
        roles = [self.boxes[name].pid(role) for role in ("layer2", "speaker", "addresses")]
        # The node's own numbers first: the kernel must not answer for a dead node's address.
        self.node(name).run(["kill", "-KILL", *map(str, roles)], check=False)
        for pid in victims:
            _kill(pid)
        moment = time.monotonic()
        self.node(name).link_down("eth1")
        process.wait(10)
        return moment

    def switch(self, *argv: str) -> None:
        """Run a command on the switch."""
        self.node(SWITCH).run(argv)

    def port(self, name: str) -> str:
        """Name of the switch's port of a node."""
        return f"eth{[*self.names, CLIENT].index(name) + 1}"

    def neighbor(self, address: str = VIP) -> str:
        """MAC that the client has for an address; empty for none."""
        found = self.node(CLIENT).run(["ip", "-j", "neigh", "show", address]).stdout
        entries: list[Mapping[str, str]] = json.loads(found or "[]")
        return next((entry.get("lladdr", "") for entry in entries), "")

    def mac(self, name: str) -> str:
        """MAC of a node's eth1."""
        return str(
            json.loads(self.node(name).run(["ip", "-j", "link", "show", "eth1"]).stdout)[0][
                "address"
            ]
        )

    def vips(self, name: str) -> list[dict[str, Any]]:
        """What a node says of its addresses."""
        items: list[dict[str, Any]] = self.boxes[name].ask("vips")["items"]
        return items

    def claims(self, address: str = VIP) -> dict[str, str]:
        """Reason that each running node gives for an address."""
        return {
            name: item["reason"]
            for name in self.names
            if self.boxes[name].process is not None
            for item in self.vips(name)
            if item["address"] == address
        }

    def settled(self, address: str = VIP, timeout_s: float = 20) -> str:
        """Wait until exactly one node announces an address, and return its name."""

        def one() -> str:
            claims = self.claims(address)
            owners = [name for name, reason in claims.items() if reason == "announced"]
            others = [reason for reason in claims.values() if reason != "announced"]
            assert len(owners) == 1, claims
            assert set(others) <= {"notOwner"}, claims
            return owners[0]

        return poll(one, timeout_s, f"one owner of {address}")


def _kill(pid: int) -> None:
    subprocess.run(["kill", "-KILL", str(pid)], check=False, capture_output=True)


@contextmanager
def sharing(workdir: Path, *addresses: str, **fields: Any) -> Iterator[Segment]:
    """Give three nodes that share `addresses`, settled."""
    with Segment(workdir, **fields) as scene:
        scene.start(*(addresses or (VIP,)))
        for address in addresses or (VIP,):
            scene.settled(address)
        yield scene
