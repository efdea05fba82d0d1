"""BGPPeer: what its fields mean, and what is refused."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.policy import Peer
from orchestrator.model.problem import Severity
from tests.unit.config.samples import PEER, codes, errors, only, read_text, text_of


def peer_of(spec: str, **metadata: str) -> Peer:
    """Read one peer that has no error."""
    reading = read_text(text_of("BGPPeer", "r1", spec, **metadata))
    assert errors(reading) == []
    return reading.policy.peers[0]


def test_peer_defaults() -> None:
    """A peer with the required fields only."""
    peer = peer_of(PEER)
    assert peer == Peer("r1", 64500, 64500, ipaddress.ip_address("192.168.121.1"))
    assert peer.ibgp


def test_peer_fields() -> None:
    """Every field and annotation of a peer reaches the model."""
    spec = """myASN: 64500
peerASN: 64501
localASN: 64510
peerAddress: 2001:db8::1
sourceAddress: 2001:db8::2
peerPort: 1179
holdTime: 1m30s
keepaliveTime: 30s
connectTime: 10s
routerID: 10.0.0.1
nodeSelectors: [{matchLabels: {rack: a}}]
password: secret
enableGracefulRestart: true
ebgpMultiHop: true
dualStackAddressFamily: true"""
    peer = peer_of(spec, annotations="{orchestrator.io/passive: 'true'}")
    assert peer.address == ipaddress.ip_address("2001:db8::1")
    assert peer.source_address == ipaddress.ip_address("2001:db8::2")
    assert peer.router_id == ipaddress.ip_address("10.0.0.1")
    assert (peer.port, peer.hold_time_s, peer.connect_time_s) == (1179, 90, 10)
    assert (peer.session_asn, peer.peer_asn, peer.ibgp) == (64510, 64501, False)
    assert peer.graceful_restart
    assert peer.ebgp_multihop
    assert peer.dual_stack
    assert peer.passive
    assert not peer.ttl_security
    assert (peer.password or "").startswith("sec")
    assert peer.selects({"rack": "a"})
    assert not peer.selects({"rack": "b"})


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        (("peerASN: 64500", "dynamicASN: internal"), "dynamicASN", "peerASN: 64500"),
        (("peerASN: 64500", "dynamicASN: external"), "dynamicASN", "peerASN"),
        (("peerAddress: 192.168.121.1", "interface: eth0"), "interface", "peerAddress"),
        (("peerASN: 64500", "peerASN: 64500\nvrf: red"), "vrf", "default VRF"),
    ],
)
def test_what_exabgp_cannot_do(change: tuple[str, str], field: str, hint: str) -> None:
    """What ExaBGP cannot do is an error on that peer that says so, and what to do instead."""
    reading = read_text(text_of("BGPPeer", "a", PEER.replace(*change)))
    problem = only(reading.problems)
    assert (problem.severity, problem.path) == (Severity.ERROR, f"spec.{field}")
    assert "ExaBGP" in problem.message
    assert hint in (problem.hint or "")
    assert reading.policy.peers == ()


def test_empty_values_count_as_absent() -> None:
    """Zero and empty text mean absent, as MetalLB's own clients write them."""
    spec = PEER + "\ninterface: ''\nrouterID: ''\nsourceAddress: ''\npassword: ''\n"
    peer = peer_of(spec + "passwordSecret: {}\nvrf: ''\nbfdProfile: ''")
    assert peer == peer_of(PEER)


@pytest.mark.parametrize(
    ("hold", "keepalive", "seconds"),
    [
        (None, None, None),
        ("3s", None, 3),
        ("0s", None, 0),
        ("1.5m", None, 90),
        ("89600ms", None, 89),
        ("900ms", None, 0),
        (None, "60s", 180),
        ("9s", "3s", 9),
        ("65535s", None, 65535),
    ],
)
def test_hold_time(hold: str | None, keepalive: str | None, seconds: int | None) -> None:
    """Hold time in whole seconds; it follows from the keepalive time when only that is given."""
    spec = PEER + (f"\nholdTime: {hold}" if hold else "")
    spec += f"\nkeepaliveTime: {keepalive}" if keepalive else ""
    reading = read_text(text_of("BGPPeer", "a", spec))
    assert reading.problems == ()
    assert reading.policy.peers[0].hold_time_s == seconds


def test_keepalive_that_will_not_be_used() -> None:
    """A keepalive time other than a third of the hold time is a warning."""
    reading = read_text(text_of("BGPPeer", "a", PEER + "\nholdTime: 90s\nkeepaliveTime: 10s"))
    problem = only(reading.problems)
    assert (problem.severity, problem.code) == (Severity.WARNING, "keepaliveIgnored")
    assert "every 30 s" in problem.message
    assert len(reading.policy.peers) == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("myASN: 64500", "myASN: 0"), "spec.myASN"),
        (("peerASN: 64500\n", ""), "spec"),
        (("peerASN: 64500", "peerASN: 0"), "spec"),
        (("peerASN: 64500", "peerASN: 64500\ndynamicASN: external"), "spec.dynamicASN"),
        (("peerASN: 64500", "dynamicASN: other"), "spec.dynamicASN"),
        (("peerAddress: 192.168.121.1", ""), "spec"),
        (("peerAddress", "interface: eth0\npeerAddress"), "spec.interface"),
        (("192.168.121.1", "224.0.0.5"), "spec.peerAddress"),
        (("192.168.121.1", "0.0.0.0"), "spec.peerAddress"),
        (("192.168.121.1", "router1"), "spec.peerAddress"),
        (("192.168.121.1", "fe80::1"), "spec.peerAddress"),
        (("192.168.121.1", "192.168.121.1\nsourceAddress: '2001:db8::1'"), "spec.sourceAddress"),
        (("192.168.121.1", "192.168.121.1\npeerPort: 0"), "spec.peerPort"),
        (("192.168.121.1", "192.168.121.1\npeerPort: 16385"), "spec.peerPort"),
        (("192.168.121.1", "192.168.121.1\nholdTime: 2s"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nholdTime: 90"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nholdTime: foo"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nholdTime: -9s"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nholdTime: 24h"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nholdTime: 2900ms"), "spec.holdTime"),
        (("192.168.121.1", "192.168.121.1\nkeepaliveTime: 900ms"), "spec.keepaliveTime"),
        (("192.168.121.1", "192.168.121.1\npassword: 'a\n\n  b'"), "spec.password"),
        (("peerASN: 64500\n", "peerASN: 64500\ndynamicASN: ''\n"), "spec.dynamicASN"),
        (
            ("192.168.121.1", "192.168.121.1\nholdTime: 9s\nkeepaliveTime: 10s"),
            "spec.keepaliveTime",
        ),
        (("192.168.121.1", "192.168.121.1\nconnectTime: 500ms"), "spec.connectTime"),
        (("192.168.121.1", "192.168.121.1\nconnectTime: 65536s"), "spec.connectTime"),
        (("192.168.121.1", "192.168.121.1\nrouterID: '2001:db8::1'"), "spec.routerID"),
        (("192.168.121.1", "192.168.121.1\nrouterID: 0.0.0.0"), "spec.routerID"),
        (("192.168.121.1", "192.168.121.1\nebgpMultiHop: true"), "spec.ebgpMultiHop"),
        (("192.168.121.1", "192.168.121.1\nlocalASN: 0"), "spec.localASN"),
        (
            ("192.168.121.1", "192.168.121.1\npassword: x\npasswordSecret: {name: s}"),
            "spec.passwordSecret",
        ),
        (("192.168.121.1", "192.168.121.1\ninterface: 'a b'"), "spec.interface"),
    ],
)
def test_peer_refusals(change: tuple[str, str], path: str) -> None:
    """What cannot work in a peer is one error, at its field, and no session."""
    reading = read_text(text_of("BGPPeer", "a", PEER.replace(*change)))
    problem = only(reading.problems)
    assert (problem.severity, problem.path) == (Severity.ERROR, path)
    assert reading.policy.peers == ()


@pytest.mark.parametrize("field", ["connectTime: 10s", "disableMP: true"])
def test_what_has_no_effect_is_a_warning(field: str) -> None:
    """Fields of MetalLB that cannot be honoured are warned about; the session is there."""
    reading = read_text(text_of("BGPPeer", "a", f"{PEER}\n{field}"))
    assert only(reading.problems).severity is Severity.WARNING
    assert len(reading.policy.peers) == 1


def test_ttl_security_is_for_one_hop() -> None:
    """GTSM and multihop contradict each other."""
    spec = PEER.replace("peerASN: 64500", "peerASN: 64501") + "\nebgpMultiHop: true"
    text = text_of("BGPPeer", "a", spec, annotations="{orchestrator.io/ttl-security: 'true'}")
    assert codes(read_text(text)) == ["brokenRule"]
