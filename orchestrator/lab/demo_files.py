"""Names, addresses and configuration files of the demo: the seed topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.lab.segment import NO_DAD, addressed, switch
from orchestrator.lab.topology import Endpoint, Link, NodeSpec, Topology

AS = 64500
ROUTER_ID = "192.168.143.2"
VIP = "192.168.143.230"
VIP_PREFIX = f"{VIP}/32"
ROUTER = "192.168.121.1"
APPLIANCES = {"lb72": "192.168.121.72", "lb170": "192.168.121.170", "lb224": "192.168.121.224"}
"""The three speakers and their addresses on the segment they share with R1."""
CLIENT, CLIENT_NETWORK_ROUTER = "10.50.0.2", "10.50.0.1"
WEB_PORT = 80


def demo_topology(name: str) -> Topology:
    """R1 with the three appliances on one segment, and a client behind R1."""
    router = NodeSpec(
        "r1",
        exec=(
            *_commands(f"ip addr add {ROUTER}/24 dev eth1"),
            *_commands(f"ip addr add {CLIENT_NETWORK_ROUTER}/24 dev eth2"),
        ),
        sysctls={
            **NO_DAD,
            "net.ipv4.ip_forward": "1",
            "net.ipv4.fib_multipath_hash_policy": "1",  # by port too, so that one client spreads
        },
    )
    boxes = {name: _appliance(name, address) for name, address in APPLIANCES.items()}
    client = addressed("client", [f"{CLIENT}/24"])
    route = ("ip", "route", "add", "default", "via", CLIENT_NETWORK_ROUTER)
    client = replace(client, exec=(*client.exec, route))
    ports = ["r1", *boxes]
    cables = [
        Link((Endpoint(node, "eth1"), Endpoint("switch", f"eth{port}")), 1500)
        for port, node in enumerate(ports, start=1)
    ]
    cables.append(Link((Endpoint("r1", "eth2"), Endpoint("client", "eth1")), 1500))
    nodes = {"switch": switch(len(ports)), "r1": router, **boxes, "client": client}
    return Topology(name, nodes, tuple(cables), directory=Path("/"))


def _appliance(name: str, address: str) -> NodeSpec:
    node = addressed(name, [f"{address}/24"])
    route = ("ip", "route", "add", "default", "via", ROUTER)
    return replace(node, exec=(*node.exec, route))


def _commands(*lines: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split()) for line in lines)


def frr_configuration() -> str:
    """R1's frr.conf: three iBGP neighbors and ECMP over iBGP."""
    neighbors = "".join(
        f" neighbor {address} remote-as {AS}\n neighbor {address} timers connect 1\n"
        for address in APPLIANCES.values()
    )
    return (
        "hostname R1\n"
        f"router bgp {AS}\n"
        f" bgp router-id {ROUTER_ID}\n"
        f"{neighbors}"
        " address-family ipv4 unicast\n"
        "  maximum-paths ibgp 8\n"
        " exit-address-family\n"
        "end\n"
    )


def appliance_objects(peer: Mapping[str, object], *, bind: str) -> str:
    """Objects of one appliance: its peer, the pool, the advertisement, the VIP."""
    fields = ", ".join(f"{name}: {value}" for name, value in peer.items())
    return f"""\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {{name: r1, namespace: metallb-system}}
spec: {{myASN: {AS}, peerASN: {AS}, holdTime: 9s, {fields}}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: edge, namespace: metallb-system}}
spec: {{addresses: [{VIP_PREFIX}]}}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {{name: edge, namespace: metallb-system}}
spec: {{ipAddressPools: [edge]}}
---
apiVersion: orchestrator.io/v1alpha1
kind: VirtualIP
metadata: {{name: web}}
spec: {{addresses: [{VIP}], ports: [{{port: {WEB_PORT}}}], bind: {bind}}}
"""
