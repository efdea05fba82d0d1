"""Nodes, addresses and cables of the Kubernetes lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.lab.segment import NO_DAD, SWITCH, addressed, switch
from orchestrator.lab.topology import HOST, Endpoint, Link, NodeSpec, Topology

NODE_AS, ROUTER_AS = 64500, 64501
ROUTER, CLIENT, LAN, CONTROL = "r1", "client", "lan", "control"
ROUTER_ADDRESS, ROUTER_ADDRESS6 = "192.168.10.1", "fd00:10::1"
NODES = {"n1": "192.168.10.11", "n2": "192.168.10.12", "n3": "192.168.10.13"}
NODES6 = {"n1": "fd00:10::11", "n2": "fd00:10::12", "n3": "fd00:10::13"}
LAN_ADDRESS = "192.168.10.100"
SEGMENT = "eth1"
"""The nodes' interface on the segment that they share with the router and the client `lan`."""
PODS, PODS6 = "10.244.0.0/16", "fd00:244::/56"
_MTU = 1500
_FORWARDING = {
    **NO_DAD,
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    # By port too, so that the connections of one client spread.
    "net.ipv4.fib_multipath_hash_policy": "1",
    "net.ipv6.fib_multipath_hash_policy": "1",
}


def management(number: int) -> tuple[str, str, str]:
    """Interface of this host towards the nodes, its address, and the control node's, of lab `number`.

    198.18.0.0/15 is for tests of networks (RFC 2544), so a host has nothing else there.
    """
    return f"kubelab{number}", f"198.18.{number}.1", f"198.18.{number}.2"


def pod_address(node: str, number: int, *, six: bool) -> str:
    """Address of a node's pod `number` (from 1)."""
    place = list(NODES).index(node) + 1
    return f"fd00:244:0:{place}::{number:x}" if six else f"10.244.{place}.{number}"


def kube_topology(name: str, number: int) -> Topology:
    """Three nodes, a router and a client on one segment, a client behind the router, and management."""
    host, _, control = management(number)
    nodes = {node: _node(node, number) for node in NODES}
    joined = [*nodes, ROUTER, LAN]
    segment = [_cable(node, "eth1", SWITCH, port) for port, node in enumerate(joined, start=1)]
    managed = [_cable(node, "eth2", CONTROL, port) for port, node in enumerate(nodes, start=1)]
    uplink = Link((Endpoint(HOST, host), Endpoint(CONTROL, f"eth{len(nodes) + 1}")), _MTU)
    away = Link((Endpoint(ROUTER, "eth2"), Endpoint(CLIENT, "eth1")), _MTU)
    others = {
        SWITCH: switch(len(joined)),
        CONTROL: _control(len(nodes) + 1, control),
        ROUTER: _router(),
        CLIENT: _client(CLIENT, ["10.50.0.2/24", "fd00:50::2/64"], "10.50.0.1", "fd00:50::1"),
        LAN: _client(
            LAN, [f"{LAN_ADDRESS}/24", "fd00:10::100/64"], ROUTER_ADDRESS, ROUTER_ADDRESS6
        ),
    }
    cables = (*segment, *managed, uplink, away)
    return Topology(name, {**nodes, **others}, cables, directory=Path("/"))


def switch_port(node: str) -> str:
    """Return the switch's interface that a node's cable ends in."""
    return f"eth{list(NODES).index(node) + 1}"


def _cable(node: str, interface: str, bridge: str, port: int) -> Link:
    return Link((Endpoint(node, interface), Endpoint(bridge, f"eth{port}")), _MTU)


def _node(name: str, number: int) -> NodeSpec:
    place = list(NODES).index(name) + 1
    made = addressed(name, [f"{NODES[name]}/24", f"{NODES6[name]}/64"])
    commands = [f"ip addr add 198.18.{number}.{10 + place}/24 dev eth2"]
    commands += [f"ip route add default via {ROUTER_ADDRESS}"]
    commands += [f"ip route add default via {ROUTER_ADDRESS6}"]
    for other, address in NODES.items():
        if other != name:
            theirs = list(NODES).index(other) + 1
            commands.append(f"ip route add 10.244.{theirs}.0/24 via {address}")
            commands.append(f"ip route add fd00:244:0:{theirs}::/64 via {NODES6[other]}")
    return replace(made, exec=(*made.exec, *_split(commands)), sysctls=_FORWARDING)


def _control(ports: int, address: str) -> NodeSpec:
    """Make the node of the controller: the management bridge, with an address of its own."""
    bridge = switch(ports)
    return replace(
        bridge, name=CONTROL, exec=(*bridge.exec, *_split([f"ip addr add {address}/24 dev br0"]))
    )


def _router() -> NodeSpec:
    commands = [f"ip addr add {ROUTER_ADDRESS}/24 dev eth1"]
    commands += [f"ip addr add {ROUTER_ADDRESS6}/64 dev eth1"]
    commands += ["ip addr add 10.50.0.1/24 dev eth2", "ip addr add fd00:50::1/64 dev eth2"]
    return NodeSpec(ROUTER, exec=_split(commands), sysctls=_FORWARDING)


def _client(name: str, addresses: list[str], router: str, router6: str) -> NodeSpec:
    made = addressed(name, addresses)
    commands = [f"ip route add default via {router}", f"ip route add default via {router6}"]
    return replace(made, exec=(*made.exec, *_split(commands)))


def _split(commands: list[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(command.split()) for command in commands)


def frr_configuration() -> str:
    """Configure the router: a neighbor for each node and family, ECMP over all of them."""
    neighbors = "".join(
        f" neighbor {address} remote-as {NODE_AS}\n neighbor {address} timers connect 1\n"
        for address in (*NODES.values(), *NODES6.values())
    )
    return (
        f"hostname R1\nrouter bgp {ROUTER_AS}\n bgp router-id {ROUTER_ADDRESS}\n"
        " no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n no bgp network import-check\n"
        f"{neighbors}{_family('ipv4', NODES)}{_family('ipv6', NODES6)}end\n"
    )


def _family(name: str, addresses: dict[str, str]) -> str:
    active = "".join(f"  neighbor {address} activate\n" for address in addresses.values())
    return f" address-family {name} unicast\n  maximum-paths 8\n{active} exit-address-family\n"
