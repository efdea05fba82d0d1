"""Virtual cables between nodes, the host and bridges of the host."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.lab.topology import HOST, Endpoint, Link, Topology, TopologyError


def mac_of(container: str, interface: str) -> str:
    """Containerlab's kind of address, aa:c1:ab:xx:xx:xx, the same each time for the same end."""
    digest = hashlib.sha256(f"{container}:{interface}".encode()).hexdigest()
    return f"aa:c1:ab:{digest[0:2]}:{digest[2:4]}:{digest[4:6]}"


def ip(arguments: Sequence[str], pid: int | None = None) -> None:
    """Run `ip` on the host, or in the network namespace of `pid`; TopologyError if it refuses."""
    enter = [] if pid is None else ["nsenter", f"--target={pid}", "--net", "--"]
    argv = [*enter, "ip", *arguments]
    result = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        raise TopologyError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")


class Cabling:
    """Makes the links of a topology; `pids` holds the nodes that exist so far."""

    def __init__(self, topology: Topology, pids: Mapping[str, int]) -> None:
        self._topology = topology
        self._pids = pids

    def on_host(self, end: Endpoint) -> bool:
        """Tell whether an end is in the caller's namespace: `host`, or a bridge's port."""
        return end.node == HOST or self._topology.nodes[end.node].kind == "bridge"

    def _half(self, end: Endpoint, mtu: int) -> list[str]:
        container = HOST if end.node == HOST else self._topology.container(end.node)
        mac = end.mac or mac_of(container, end.interface)
        space = [] if self.on_host(end) else ["netns", str(self._pids[end.node])]
        return ["name", end.interface, *space, "mtu", str(mtu), "address", mac]

    def connect(self, link: Link) -> None:
        """Make the pair of `link` and bring both ends up, joined to their bridge if they have one."""
        first, second = link.ends
        ip(
            [
                "link",
                "add",
                *self._half(first, link.mtu),
                "type",
                "veth",
                "peer",
                *self._half(second, link.mtu),
            ]
        )
        for end in link.ends:
            pid = None if self.on_host(end) else self._pids[end.node]
            bridge = ["master", end.node] if end.node != HOST and pid is None else []
            ip(["link", "set", end.interface, *bridge, "up"], pid)


def host_interfaces(topology: Topology) -> list[Path]:
    """Where the host shows the interfaces that the topology puts into its namespace."""
    bridges = {name for name, node in topology.nodes.items() if node.kind == "bridge"} | {HOST}
    ends = [end for link in topology.links for end in link.ends if end.node in bridges]
    return [Path("/sys/class/net", end.interface) for end in ends]


def check_bridges(topology: Topology) -> None:
    """TopologyError for every bridge of the host that a topology names and the host lacks."""
    missing = [
        f"{node.place or name}: the host has no bridge {name}: ip link add {name} type bridge && ip link set {name} up"
        for name, node in topology.nodes.items()
        if node.kind == "bridge" and not Path("/sys/class/net", name, "bridge").is_dir()
    ]
    if missing:
        raise TopologyError(*missing)
