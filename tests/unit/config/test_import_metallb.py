"""`import metallb-configmap`: the objects that MetalLB's own converter writes."""

from __future__ import annotations

from orchestrator.config.imports.metallb import read_metallb
from orchestrator.config.read import read
from orchestrator.config.source import Source
from tests.unit.config.imported import lost, reread, sample, specs


def test_objects_of_a_config_map() -> None:
    """Pools, peers, advertisements and aliases are written with the converter's names."""
    imported = read_metallb(sample("metallb-configmap"))
    assert lost(imported) == []
    assert specs(imported, "IPAddressPool") == {
        "public": {"addresses": ["198.51.100.0/24"], "avoidBuggyIPs": True},
        "office-lan": {"addresses": ["203.0.113.10-203.0.113.20"], "autoAssign": False},
    }
    assert specs(imported, "BGPAdvertisement") == {
        "bgpadvertisement1": {
            "aggregationLength": 32,
            "localPref": 100,
            "ipAddressPools": ["public"],
            "communities": ["no-export"],
        },
        "bgpadvertisement2": {"aggregationLength": 24, "ipAddressPools": ["public"]},
    }
    assert specs(imported, "L2Advertisement") == {
        "l2advertisement1": {"ipAddressPools": ["office-lan"]}
    }
    aliases = specs(imported, "Community")["communities"]["communities"]
    assert aliases == [{"name": "no-export", "value": "65535:65281"}]


def test_peers_of_a_config_map() -> None:
    """A password goes to a Secret, times are written out, selectors are today's."""
    imported = read_metallb(sample("metallb-configmap"))
    assert specs(imported, "BGPPeer")["peer1"] == {
        "myASN": 64500,
        "peerASN": 64501,
        "peerAddress": "192.0.2.1",
        "holdTime": "1m30s",
        "nodeSelectors": [{"matchLabels": {"rack": "a"}}],
        "passwordSecret": {"name": "peer1-password"},
    }
    assert [made.key for made in imported.made if made.document["kind"] == "Secret"] == [
        ("Secret", "peer1-password")
    ]


def test_same_policy_as_reading_it() -> None:
    """What is imported means what the old text means when it is read as it is."""
    text = sample("metallb-configmap")
    assert reread(read_metallb(text)).policy == read([Source("old.yaml", text)]).policy


def test_namespace_is_kept() -> None:
    """Objects live where the ConfigMap lived."""
    text = sample("metallb-configmap").replace(b"metallb-system", b"lb")
    imported = read_metallb(text)
    assert {made.document["metadata"]["namespace"] for made in imported.made} == {"lb"}


def test_faulty_entries_are_lost() -> None:
    """What MetalLB would refuse is not written, and told with its place."""
    text = sample("metallb-configmap").replace(b"hold-time: 90s", b"hold-time: 90")
    imported = read_metallb(text)
    assert list(specs(imported, "BGPPeer")) == ["peer2"]
    assert lost(imported) == ["13: BGPPeer metallb-system/peer1 peers[0].hold-time"]


def test_what_the_new_kind_refuses_is_lost() -> None:
    """A port that today's BGPPeer cannot have is told instead of written."""
    text = b"peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1, peer-port: 40000}\n"
    imported = read_metallb(text)
    assert specs(imported, "BGPPeer") == {}
    assert lost(imported) == ["2: BGPPeer peer1"]


def test_refused_text_is_lost_as_a_whole() -> None:
    """Of a text with an unknown key nothing is written."""
    imported = read_metallb(b"peers: []\ncolour: red\n")
    assert not imported.made
    assert len(imported.losses()) == 1
