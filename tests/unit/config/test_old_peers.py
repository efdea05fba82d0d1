"""Peers of MetalLB v0.9 to v0.12: what their settings mean, and what was refused (metallb.md 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.config.old_samples import PEER, policy, refused
from tests.unit.config.samples import only


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("hold-time: 180s", "hold_time_s", 180),
        ("hold-time: 3900ms", "hold_time_s", 3),
        ("hold-time: 0s", "hold_time_s", 0),
        ("hold-time: ''", "hold_time_s", 90),
        ("keepalive-time: 30s", "hold_time_s", 90),
        ("peer-port: 1179", "port", 1179),
        ("peer-port: 0", "port", 179),
        ("peer-port: 60000", "port", 60000),
        ("password: 12345", "password", "12345"),
        ("password: ''", "password", None),
        ("ebgp-multihop: true", "ebgp_multihop", True),
        ("bfd-profile: ''", "bfd_profile", None),
    ],
)
def test_settings_of_a_peer(written: str, field: str, value: Any) -> None:
    """Each setting of a peer has its meaning; empty text is as if it were absent."""
    found = policy(PEER % f", {written}").peers[0]
    assert getattr(found, field) == value


def test_addresses_of_a_peer() -> None:
    """Addresses of a session are read, a router id too."""
    text = PEER % ", source-address: 192.0.2.9, router-id: 192.0.2.10"
    found = policy(text).peers[0]
    assert (str(found.source_address), str(found.router_id)) == ("192.0.2.9", "192.0.2.10")


def test_node_selectors() -> None:
    """One of the selectors must match; equal ones may be repeated, as it was allowed."""
    selector = "{match-labels: {a: b}, match-expressions: [{key: c, operator: Exists}]}"
    found = policy(PEER % f", node-selectors: [{selector}, {selector}]").peers[0]
    assert found.selects({"a": "b", "c": "d"})
    assert not found.selects({"a": "b"})
    assert len(found.node_selectors) == 1


@pytest.mark.parametrize(
    "written",
    [
        "hold-time: 90",
        "hold-time: 1s",
        "hold-time: 2999ms",
        "hold-time: -5s",
        "hold-time: foo",
        "hold-time: 10s, keepalive-time: 11s",
        "keepalive-time: 91s",
        "keepalive-time: 5",
        "router-id: x",
        "router-id: '2001:db8::1'",
        "source-address: x",
        "peer-port: 65536",
        "peer-port: -1",
        "bfd-profile: none",
        "node-selectors: [{match-expressions: [{key: a, operator: Surrounds, values: [b]}]}]",
        "node-selectors: [{match-expressions: [{key: a, operator: In}]}]",
        "ebgp-multihop: perhaps",
    ],
)
def test_refused_settings_of_a_peer(written: str) -> None:
    """A faulty setting of a peer is an error of that peer, which is left out."""
    reading = refused(PEER % f", {written}")
    assert {problem.object for problem in reading.problems} == {"BGPPeer metallb-system/peer1"}
    assert not reading.policy.peers


@pytest.mark.parametrize(
    "missing", ["my-asn: 42, ", "peer-asn: 142, ", ", peer-address: 192.0.2.1"]
)
def test_required_settings_of_a_peer(missing: str) -> None:
    """AS numbers and the peer's address are required."""
    problem = only(refused((PEER % "").replace(missing, "")).problems)
    assert problem.code == "missingField"


def test_multihop_is_for_ebgp() -> None:
    """ebgp-multihop on iBGP is refused."""
    text = "peers:\n- {my-asn: 1, peer-asn: 1, peer-address: 192.0.2.1, ebgp-multihop: true}\n"
    assert only(refused(text).problems).path == "peers[0].ebgp-multihop"


def test_equal_peers_are_refused() -> None:
    """Of two peers with one address the second is left out."""
    entry = "- {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1}\n"
    reading = refused("peers:\n" + entry * 2)
    assert only(reading.problems).object == "BGPPeer metallb-system/peer2"
    assert [peer.name for peer in reading.policy.peers] == ["peer1"]
