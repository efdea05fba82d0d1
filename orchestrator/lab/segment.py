"""A topology made in code: any number of nodes joined on one Ethernet segment."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.lab.topology import Endpoint, Link, NodeSpec, Topology

SWITCH = "switch"
"""Name of the node whose bridge joins the others; its port N is eth<N>."""
NO_DAD = {"net.ipv6.conf.default.accept_dad": "0", "net.ipv6.conf.all.accept_dad": "0"}
"""Sysctls that make IPv6 addresses usable at once: nobody else is on a segment of ours."""


def switch(ports: int) -> NodeSpec:
    """Make a node that bridges its interfaces eth1 to eth<ports>."""
    joins = [f"ip link set eth{port} master br0" for port in range(1, ports + 1)]
    commands = ["ip link add br0 type bridge", "ip link set br0 up", *joins]
    return NodeSpec(SWITCH, exec=tuple(tuple(command.split()) for command in commands))


def addressed(name: str, addresses: Sequence[str]) -> NodeSpec:
    """Make a node that has `addresses` (with prefix length) on its eth1."""
    add = tuple(("ip", "addr", "add", address, "dev", "eth1") for address in addresses)
    return NodeSpec(name, exec=add, sysctls=NO_DAD)


def segment(name: str, addresses: Mapping[str, Sequence[str]], mtu: int = 1500) -> Topology:
    """Join nodes on one segment; `addresses` are those of each node's eth1, with prefix length."""
    nodes = {node: addressed(node, given) for node, given in addresses.items()}
    cables = tuple(
        Link((Endpoint(node, "eth1"), Endpoint(SWITCH, f"eth{port}")), mtu)
        for port, node in enumerate(nodes, start=1)
    )
    return Topology(name, {SWITCH: switch(len(nodes)), **nodes}, cables, directory=Path("/"))


def numbered(names: Sequence[str], *networks: str) -> dict[str, list[str]]:
    """Give the first addresses of each network to `names` in turn: 10.0.0.1/24, 10.0.0.2/24, ..."""
    given: dict[str, list[str]] = {name: [] for name in names}
    for network in map(ipaddress.ip_network, networks):
        hosts = itertools.islice(network.hosts(), len(names))
        for name, host in zip(names, hosts, strict=True):
            given[name].append(f"{host}/{network.prefixlen}")
    return given


def with_sysctls(topology: Topology, sysctls: Mapping[str, str]) -> Topology:
    """Set further sysctls in every node but the switch."""
    nodes = {
        name: node if name == SWITCH else replace(node, sysctls={**node.sysctls, **sysctls})
        for name, node in topology.nodes.items()
    }
    return replace(topology, nodes=nodes)
