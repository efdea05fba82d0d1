"""Nodes that share VIPs on one segment, and a client that asks for one of them all the time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from orchestrator.lab.asking import Asking, serve
from orchestrator.lab.node import Node, end_group
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


VIRTUAL_IP = """
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: web}}
spec: {{addresses: {addresses}{extra}}}
---
"""


NETWORK = tuple(
    line.split()
    for line in (
        "ip -s addr",
        "ip route show table all",
        "ip -s neigh",
        "bridge fdb",
        "ss -aunp",
    )
)
"""What a failure wants to know of every node."""
RESTED_S = 1.6
"""Longer than the preempt delay of `QUICK`: an owner that is still it was not preempted."""
NOTHING_S = 0.25
"""No question is lost; a machine that is busy answers later than it would."""


def virtual_ips(*addresses: str, extra: str = "") -> str:
    """Text of a VirtualIP for each address."""
    return "".join(
        VIRTUAL_IP.format(addresses=f"['{address}']", extra=extra).replace("web", f"vip-{number}")
        for number, address in enumerate(addresses)
    )


def wait_answered(
    client: Asking, by: str | None = None, timeout_s: float = 20, *, other_than: str = ""
) -> str:
    """Wait until somebody answers the client, or until `by` does; return who."""

    def found() -> str:
        owner = client.owner()
        return owner if by in {None, owner} and owner != other_than else ""

    return poll(found, timeout_s, f"an answer of {by or 'anybody'}")


def frames_in(capture: bytes) -> list[bytes]:
    """Read the frames of a pcap file of this machine's byte order."""
    frames, at = [], 24
    while at + 16 <= len(capture):
        length = int.from_bytes(capture[at + 8 : at + 12], sys.byteorder)
        frames.append(capture[at + 16 : at + 16 + length])
        at += 16 + length
    return frames


def wait_moved(clients: Iterable[Asking], owner: str, since: float) -> None:
    """Wait until every client was answered by another node than `owner` after `since`."""

    def others() -> bool:
        return all({gap.after for gap in client.gaps(since)} - {owner} for client in asked)

    asked = tuple(clients)
    poll(others, 20, f"another node than {owner} to answer")


def longest_gap_s(clients: Iterable[Asking], since: float) -> float:
    """Longest time that any client was without an answer after `since`."""
    return max((gap.gap_s for client in clients for gap in client.gaps(since)), default=0.0)


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
        self.settings = settings
        self.more = ""
        self.lab: Lab = joined(workdir, *names, CLIENT, networks=networks)
        self.boxes: dict[str, Appliance] = {}
        self._echoes: dict[str, subprocess.Popen[str]] = {}
        self._served: dict[str, tuple[str, ...]] = {}
        self._clients = 0

    def __enter__(self) -> Self:
        self.lab.__enter__()
        for name in self.names:
            self.boxes[name] = Appliance(self.node(name), self._workdir, name)
        return self

    def __exit__(self, *failure: object) -> None:
        try:
            if any(failure):
                for node in self.lab.nodes.values():
                    self._note_network(node)
        finally:
            self.lab.__exit__(*failure)

    def _note_network(self, node: Node) -> None:
        """Leave a log of what a node's kernel knows of the segment."""
        known = [f"# {' '.join(ask)}\n{node.run(ask, check=False).stdout}" for ask in NETWORK]
        (self._workdir / f"{node.name}-network.log").write_text("\n".join(known), "utf-8")

    def node(self, name: str) -> Node:
        """Return a node of the lab."""
        return self.lab.node(name)

    def write(self, *addresses: str, extra: str = "", names: Sequence[str] = ()) -> None:
        """Write the same files for all nodes, or for some."""
        for name in names or self.names:
            settings = SETTINGS.format(membership=self.settings)
            objects = POOL + settings + self.more + virtual_ips(*addresses, extra=extra)
            self.boxes[name].write(objects)

    def start(self, *addresses: str, names: Sequence[str] = ()) -> None:
        """Start `orchestrator run` on all nodes, or some, with a server behind the addresses."""
        wanted = addresses or (VIP,)
        self.write(*wanted, names=names)
        for name in names or self.names:
            self.start_again(name)
            self.serve(name, *wanted[:2])

    def serve(self, name: str, *addresses: str) -> None:
        """Start the server that answers a client with the name of the node."""
        log = self._workdir / f"{name}-echo.log"
        self._served[name] = addresses
        self._echoes[name] = serve(self.node(name), name, *addresses, log=log)

    def start_again(self, name: str) -> None:
        """Start `orchestrator run` again with the files that are there."""
        self.boxes[name].start("--http", "off")

    def serve_again(self, name: str) -> None:
        """Start the node's server again, for what it served before."""
        self.serve(name, *self._served[name])

    def link_up(self, name: str) -> None:
        """Bring a node's interface up again, with its IPv6 address, which the kernel took off."""
        self.node(name).link_up("eth1")
        for command in self.lab.topology.nodes[name].exec:
            self.node(name).run(command, check=False)

    def drain(self, name: str) -> Callable[[], object]:
        """Drain a node; to heal is to undrain it."""
        assert self.boxes[name].call("drain", "--wait", "1").returncode == 0
        return lambda: self.boxes[name].call("undrain")

    def sicken(self, name: str) -> Callable[[], object]:
        """Let the node's health check fail (it looks for a file)."""
        self.node(name).run(["touch", "/run/sick"])
        return lambda: self.node(name).run(["rm", "/run/sick"])

    def client(self, address: str = VIP, interval_ms: float = INTERVAL_MS) -> Asking:
        """Start a client."""
        self._clients += 1
        log = self._workdir / f"client-{self._clients}.log"
        return Asking(self.node(CLIENT), address, interval_ms, log)

    def power_off(self, name: str) -> float:
        """Kill everything that answers on a node at once; return when (monotonic clock)."""
        moment = time.monotonic()
        self.node(name).link_down("eth1")
        end_group(self._echoes[name])
        self.kill(name)
        return moment

    def kill(self, name: str) -> None:
        """Kill `orchestrator run` with -9; its roles die with it."""
        process = self.boxes[name].process
        assert process is not None
        process.kill()
        process.wait(10)

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

    def agreed(self, clients: Mapping[str, Asking]) -> str:
        """Wait until one node owns every client's address and answers that client; return it."""

        def one() -> str:
            owners = {self.owner_now(address) for address in clients}
            assert owners == {client.owner() for client in clients.values()}, owners
            assert len(owners) == 1, owners
            return owners.pop()

        return poll(one, 20, "one node to own and answer everything")

    def owner_now(self, address: str = VIP) -> str:
        """Name of the only node that announces an address; an AssertionError if there is none."""
        claims = self.claims(address)
        owners = [name for name, reason in claims.items() if reason == "announced"]
        others = [reason for reason in claims.values() if reason != "announced"]
        assert len(owners) == 1, claims
        assert set(others) <= {"notOwner"}, claims
        return owners[0]

    def rested(self, address: str = VIP) -> str:
        """Wait until the owner has been the same for longer than the preempt delay; return it."""
        deadline = time.monotonic() + 20
        owner, since = self.settled(address), time.monotonic()
        while time.monotonic() < since + RESTED_S:
            time.sleep(0.1)
            if (found := self.settled(address)) != owner:
                assert time.monotonic() < deadline, f"{owner}, then {found} owns {address}"
                owner, since = found, time.monotonic()
        return owner

    def metrics(self, name: str) -> str:
        """Metrics of a node, over its Unix socket."""
        socket = self.boxes[name].runtime_dir / "status.sock"
        ask = ["curl", "-s", "--unix-socket", str(socket), "http://localhost/metrics"]
        return self.node(name).run(ask).stdout

    def record(self, name: str, count: int) -> list[bytes]:
        """Record this many hellos of a node at the client."""
        path = self._workdir / "hellos.pcap"
        argv = ["tcpdump", "-i", "eth1", "-c", str(count), "-w", str(path), "-U", "-Z", "root"]
        match = ["ether", "src", self.mac(name), "and", "ip", "proto", "112"]
        self.node(CLIENT).run([*argv, *match], timeout_s=20)
        return frames_in(path.read_bytes())

    def gives(self, name: str, reason: str, address: str = VIP) -> bool:
        """Tell whether a node gives this reason for an address."""
        return self.claims(address).get(name) == reason

    def settled(self, address: str = VIP, timeout_s: float = 20) -> str:
        """Wait until exactly one node announces an address, and return its name."""
        return poll(lambda: self.owner_now(address), timeout_s, f"one owner of {address}")


@contextmanager
def dual_stack(workdir: Path, *, extra: str = "", **fields: Any) -> Iterator[Segment]:
    """Give three nodes that share one VirtualIP with an address of each family, settled."""
    with Segment(workdir, **fields) as scene:
        both = f"[{VIP}, '{VIP6}']"
        for name in scene.names:
            settings = SETTINGS.format(membership=scene.settings)
            scene.boxes[name].write(
                POOL + settings + VIRTUAL_IP.format(addresses=both, extra=extra)
            )
            scene.start_again(name)
            scene.serve(name, VIP, VIP6)
        scene.settled(VIP)
        yield scene


@contextmanager
def sharing(workdir: Path, *addresses: str, **fields: Any) -> Iterator[Segment]:
    """Give three nodes that share `addresses`, settled."""
    with Segment(workdir, **fields) as scene:
        scene.start(*(addresses or (VIP,)))
        for address in addresses or (VIP,):
            scene.settled(address)
        yield scene
