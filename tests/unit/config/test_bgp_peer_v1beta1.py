"""BGPPeer v1beta1: read as v1beta2 is, with the fields and the selectors it has."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.config.reading import Reading
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Severity
from tests.unit.config.samples import PEER, codes, only, read_text, text_of


def read_old(spec: str) -> Reading:
    """Read one peer in its older form."""
    return read_text(text_of("BGPPeer", "r1", spec).replace("v1beta2", "v1beta1"))


def test_both_versions_mean_the_same() -> None:
    """A peer of v1beta1 is the peer that v1beta2 makes of the same text."""
    spec = f"""{PEER.replace("peerASN: 64500", "peerASN: 64501")}
peerPort: 1179
sourceAddress: 192.168.121.2
holdTime: 90s
keepaliveTime: 30s
routerID: 10.0.0.1
password: x
ebgpMultiHop: true
nodeSelectors:
- matchLabels: {{rack: a}}
  matchExpressions: [{{key: zone, operator: NotIn, values: [x, y]}}]"""
    old, new = read_old(spec), read_text(text_of("BGPPeer", "r1", spec))
    assert old.problems == new.problems == ()
    assert old.policy == new.policy


def test_defaults() -> None:
    """A port of zero is 179, and a keepalive time of zero is none."""
    peer = Peer("r1", 64500, 64500, ipaddress.ip_address("192.168.121.1"))
    for extra in ("", "\npeerPort: 0", "\npeerPort: 179\nkeepaliveTime: 0s"):
        reading = read_old(PEER + extra)
        assert reading.problems == ()
        assert reading.policy.peers == (peer,)


@pytest.mark.parametrize(
    "spec",
    [
        PEER.replace("myASN: 64500\n", ""),
        PEER.replace("peerASN: 64500\n", ""),
        PEER.replace("peerASN: 64500", "peerASN: 0"),
        PEER.replace("\npeerAddress: 192.168.121.1", ""),
        PEER.replace("192.168.121.1", "''"),
        PEER + "\npeerPort: 16385",
        PEER + "\nholdTime: 2s",
        PEER + "\nholdTime: 9s\nkeepaliveTime: 10s",
        PEER + "\nebgpMultiHop: true",
        PEER + "\nsourceAddress: '2001:db8::1'",
        PEER + "\nvrf: red",
        PEER + "\ndynamicASN: internal",
        PEER + "\nenableGracefulRestart: true",
        PEER + "\npasswordSecret: {name: s}",
        PEER + "\nnodeSelectors: [{matchExpressions: [{operator: In, values: [a]}]}]",
        PEER + "\nnodeSelectors: [{matchExpressions: [{key: a, values: [a]}]}]",
        PEER + "\nnodeSelectors: [{matchExpressions: [{key: a, operator: In}]}]",
        PEER + "\nnodeSelectors: [{matchExpressions: [{key: a, operator: In, values: []}]}]",
        PEER + "\nnodeSelectors: [{matchExpressions: [{key: a, operator: Exists, values: [a]}]}]",
        PEER + "\nnodeSelectors: [{}, {}]",
    ],
)
def test_refusals(spec: str) -> None:
    """What v1beta1 does not have, or requires, is one error."""
    reading = read_old(spec)
    assert only(reading.problems).severity is Severity.ERROR
    assert reading.policy.peers == ()


def test_one_peer_in_two_versions() -> None:
    """Both forms are one object: equal ones are no problem, of different ones the first counts."""
    new = text_of("BGPPeer", "r1", PEER)
    old = new.replace("v1beta2", "v1beta1")
    assert codes(read_text(new, old)) == []
    assert codes(read_text(new, old.replace("121.1", "121.2"))) == ["duplicateObject"]


@pytest.mark.parametrize(
    "selectors",
    [
        (
            "[{matchExpressions: [{key: a, operator: In, values: [x, y]}]}, "
            "{matchExpressions: [{key: a, operator: In, values: [y, x]}]}]"
        ),
        (
            "[{matchExpressions: [{key: a, operator: In, values: [x, y]}, "
            "{key: a, operator: In, values: [y, x]}]}]"
        ),
    ],
)
def test_equal_selectors_in_another_order(selectors: str) -> None:
    """As in MetalLB the order of values does not make two selectors or conditions different."""
    assert codes(read_text(text_of("BGPPeer", "a", f"{PEER}\nnodeSelectors: {selectors}"))) == [
        "duplicateItem"
    ]
