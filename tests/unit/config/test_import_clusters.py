"""`import kube-vip` and `import purelb`: pools and announcements of other clusters."""

from __future__ import annotations

import pytest

from orchestrator.config.imports.kube_vip import read_kube_vip
from orchestrator.config.imports.purelb import read_purelb
from tests.unit.config.imported import lost, reread, sample, specs

SERVICE_GROUP = "apiVersion: purelb.io/v1\nkind: ServiceGroup\nmetadata: {name: %s}\nspec: %s\n"


def config_map(data: str) -> bytes:
    """Make kube-vip's ConfigMap."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kubevip}}\ndata: {data}\n".encode()


def pod(**env: str) -> bytes:
    """Make kube-vip's static Pod."""
    lines = "".join(f"    - {{name: {name}, value: '{value}'}}\n" for name, value in env.items())
    return f"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - env:\n{lines}".encode()


def test_pools_of_kube_vip() -> None:
    """Each namespace's addresses become a pool of that namespace; `global` is everybody's."""
    found = specs(read_kube_vip(sample("kube-vip")), "IPAddressPool")
    assert found["global"] == {
        "addresses": ["192.0.2.65-192.0.2.94", "2001:db8:7::1-2001:db8:7::fe"]
    }
    assert found["shop"] == {
        "addresses": ["198.51.100.10-198.51.100.20"],
        "serviceAllocation": {"priority": 1, "namespaces": ["shop"]},
    }
    assert found["twice"]["addresses"] == ["198.51.100.40-198.51.100.41"]


def test_announcement_of_kube_vip() -> None:
    """ARP mode is an L2Advertisement on the interface, BGP mode peers and a BGPAdvertisement."""
    imported = read_kube_vip(sample("kube-vip"))
    assert [spec["interfaces"] for spec in specs(imported, "L2Advertisement").values()] == [
        ["eth1"],
        ["eth2"],
    ]
    peers = specs(imported, "BGPPeer")
    assert list(peers) == ["peer-192.0.2.1", "peer-192.0.2.2", "peer-2001-db8--1"]
    second = peers["peer-192.0.2.2"]
    assert (second["peerPort"], second["ebgpMultiHop"], second["holdTime"]) == (1179, True, "1m30s")
    assert "ebgpMultiHop" not in peers["peer-192.0.2.1"]


def test_losses_of_kube_vip() -> None:
    """The control plane's VIP, sharing, classes and unnumbered peers are told."""
    found = "\n".join(lost(read_kube_vip(sample("kube-vip"))))
    for words in ("192.0.2.5", "allow-share-lab", "lb_class_only", "unnumbered", "Service web"):
        assert words in found


@pytest.mark.parametrize(
    "data",
    [
        "{cidr-global: 0.0.0.0/32}",
        "{cidr-global: 192.0.2.0/33}",
        "{cidr-a: 192.0.2.0/28, range-a: 192.0.2.40-192.0.2.41}",
        "{cidr-a: 192.0.2.0/28, cidr-b: 192.0.2.8/29}",
        "{search-order: desc, cidr-a: 192.0.2.0/28}",
        "{colour: red, cidr-a: 192.0.2.0/28}",
    ],
)
def test_pools_that_cannot_be(data: str) -> None:
    """DHCP, malformed and overlapping ranges and unknown keys are told, beside how it announces."""
    imported = read_kube_vip(config_map(data))
    assert len(lost(imported)) == 2
    assert reread(imported).valid


def test_single_peer_of_kube_vip() -> None:
    """The older variables for one peer are read when no list is given."""
    imported = read_kube_vip(
        pod(
            svc_enable="true",
            bgp_enable="true",
            bgp_as="65000",
            bgp_peeraddress="192.0.2.1",
            bgp_peeras="65001",
            bgp_multihop="true",
            bgp_peerpass="x",
        )
    )
    assert specs(imported, "BGPPeer")["peer-192.0.2.1"] == {
        "myASN": 65000,
        "peerASN": 65001,
        "peerAddress": "192.0.2.1",
        "ebgpMultiHop": True,
        "passwordSecret": {"name": "peer-192.0.2.1-password"},
    }
    assert lost(imported) == []


def test_control_plane_only() -> None:
    """kube-vip that has only the control plane's VIP has nothing to carry over, and that is told."""
    imported = read_kube_vip(pod(vip_arp="true", cp_enable="true", address="192.0.2.5"))
    assert not imported.made
    assert len(lost(imported)) == 1


def test_a_value_from_elsewhere() -> None:
    """A password out of a Secret is told: it is not in the file."""
    text = pod(svc_enable="true", bgp_enable="true", bgp_as="1", bgp_peers="192.0.2.1:2")
    secret = b"    - {name: bgp_peerpass, valueFrom: {secretKeyRef: {name: a, key: b}}}\n"
    assert lost(read_kube_vip(text + secret)) == ["10: bgp_peerpass (valueFrom)"]


def test_pools_of_purelb() -> None:
    """Only the group `default` is used unasked; lists and both families make one pool."""
    found = specs(read_purelb(sample("purelb")), "IPAddressPool")
    assert found["default"] == {
        "addresses": [
            "192.0.2.200-192.0.2.220",
            "192.0.2.230/32",
            "2001:db8:9::100-2001:db8:9::1ff",
        ]
    }
    assert found["anycast"] == {"addresses": ["198.51.100.0/24"], "autoAssign": False}
    assert "external" not in found


def test_announcement_of_purelb() -> None:
    """Local groups go to layer 2 on the agent's interface, remote ones to BGP with their length."""
    imported = read_purelb(sample("purelb"))
    assert specs(imported, "L2Advertisement") == {
        "purelb-local": {"ipAddressPools": ["default", "anycast"], "interfaces": ["enp1s0"]}
    }
    assert specs(imported, "BGPAdvertisement") == {
        "purelb-remote": {"ipAddressPools": ["routed"], "aggregationLength": 26}
    }


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("{netbox: {url: x}}", "netbox"),
        ("{local: {}}", "ServiceGroup g"),
        ("{local: {v4pool: {subnet: 192.0.2.0/24, pool: nonsense}}}", "nonsense"),
        ("{local: {subnet: 192.0.2.0/24, pool: 192.0.2.0/28, aggregation: /32}}", "/32"),
        ("{local: {v4pools: [{pool: 192.0.2.0/28}, {pool: 192.0.2.8/29}]}}", "192.0.2.8/29"),
        ("{remote: {v4Pool: {subnet: 192.0.2.0/24, pool: 192.0.2.0/28}}}", "/24"),
        ("{local: {v4pool: {pool: 192.0.2.0/28}, colour: red}}", "colour"),
    ],
)
def test_losses_of_purelb(spec: str, words: str) -> None:
    """Other sources, malformed pools and lengths that cannot be are told."""
    imported = read_purelb((SERVICE_GROUP % ("g", spec)).encode())
    assert any(words in entry for entry in lost(imported))
    assert reread(imported).valid


def test_interface_patterns_of_purelb() -> None:
    """A pattern of interfaces is not guessed at."""
    agent = "---\napiVersion: purelb.io/v1\nkind: LBNodeAgent\nmetadata: {name: default}\n"
    agent += "spec: {local: {localint: 'enp.*s0', extlbint: kube-lb0}}\n"
    group = SERVICE_GROUP % ("g", "{local: {pool: 192.0.2.0/28}}")
    imported = read_purelb((group + agent).encode())
    assert any("enp.*s0" in entry for entry in lost(imported))
    assert "interfaces" not in specs(imported, "L2Advertisement")["purelb-local"]
