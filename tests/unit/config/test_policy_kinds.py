"""What the kinds of configuration mean, field by field, and what is refused in each."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.address import AddressRange, Family
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.policy import Peer
from orchestrator.model.problem import Severity
from orchestrator.model.selector import Operator, Requirement, Selector
from tests.unit.config.samples import PEER, POOL, codes, errors, only, read_text, text_of

MED = "{orchestrator.io/med: '%s'}"


def peer_text(name: str, address: str) -> str:
    """Make a peer with an address of its own."""
    return text_of("BGPPeer", name, PEER.replace("192.168.121.1", address))


def peer_of(spec: str, **metadata: str) -> Peer:
    """Read one peer that has no error."""
    reading = read_text(text_of("BGPPeer", "r1", spec, **metadata))
    assert errors(reading) == []
    return reading.policy.peers[0]


@pytest.mark.parametrize(
    ("written", "first", "last", "mask"),
    [
        ("192.0.2.0/24", "192.0.2.0", "192.0.2.255", 24),
        ("192.0.2.77/24", "192.0.2.0", "192.0.2.255", 24),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.1", 32),
        ("192.0.2.5-192.0.2.5", "192.0.2.5", "192.0.2.5", 32),
        ("192.0.2.5 - 192.0.2.16", "192.0.2.5", "192.0.2.16", 29),
        ("192.0.2.0-192.0.3.255", "192.0.2.0", "192.0.3.255", 23),
        ("'2001:db8::/64'", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", 64),
        ("2001:db8::1-2001:db8::5", "2001:db8::1", "2001:db8::5", 127),
        ("0.0.0.0/0", "0.0.0.0", "255.255.255.255", 0),
    ],
)
def test_address_ranges(written: str, first: str, last: str, mask: int) -> None:
    """CIDRs and ranges of both families; the mask is the shortest of the CIDRs it is made of."""
    pool = read_text(text_of("IPAddressPool", "a", f"addresses:\n- {written}")).policy.pools[0]
    ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
    assert pool.ranges == (AddressRange(*ends, mask),)


@pytest.mark.parametrize(
    "written",
    [
        "192.0.2.1",
        "192.0.2.0/33",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/+24",
        "192.0.2.9-192.0.2.1",
        "192.0.2.1-2001:db8::1",
        "192.0.2.1-",
        "010.0.0.0/8",
        "'2001:db8::/129'",
        "'fe80::1%eth0/64'",
        "'::ffff:192.0.2.0/120'",
        "example.org/24",
        "''",
    ],
)
def test_what_is_no_address_range(written: str) -> None:
    """Anything else is an error at that entry, and the pool is out of force."""
    reading = read_text(text_of("IPAddressPool", "a", f"addresses:\n- 10.0.0.0/8\n- {written}"))
    problem = only(reading.problems)
    assert (problem.path, problem.place) == ("spec.addresses[1]", "test.yaml:8:5")
    assert reading.policy.pools == ()
    assert reading.policy.pools_faulty


def test_pool_fields() -> None:
    """Every field of a pool reaches the model."""
    spec = f"""{POOL}
autoAssign: false
avoidBuggyIPs: true
serviceAllocation:
  priority: 7
  namespaces: [a, b]
  namespaceSelectors: [{{matchLabels: {{env: prod}}}}]
  serviceSelectors: [{{matchExpressions: [{{key: app, operator: NotIn, values: [x, y]}}]}}, {{}}]"""
    pool = read_text(text_of("IPAddressPool", "a", spec, labels="{zone: z1}")).policy.pools[0]
    assert not pool.auto_assign
    assert pool.avoid_buggy_ips
    assert pool.labels == {"zone": "z1"}
    allocation = pool.allocation
    assert allocation is not None
    assert (allocation.priority, allocation.namespaces) == (7, frozenset({"a", "b"}))
    prod = Selector((Requirement("env", Operator.IN, frozenset({"prod"})),))
    assert allocation.namespace_selectors == (prod,)
    app = Selector((Requirement("app", Operator.NOT_IN, frozenset({"x", "y"})),))
    assert allocation.service_selectors == (app, Selector())


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("addresses: []", "invalidValue"),
        ("addresses:", "missingField"),
        ("addresses: 10.0.0.0/8", "wrongType"),
        ("addresses: [10.0.0.0/8, 10.1.0.0/16]", "overlappingRanges"),
        (f"{POOL}\nserviceAllocation: {{namespaces: [a, a]}}", "duplicateItem"),
        (f"{POOL}\nserviceAllocation: {{namespaceSelectors: [{{}}, {{}}]}}", "duplicateItem"),
        (f"{POOL}\nserviceAllocation: {{priority: 2147483648}}", "invalidValue"),
    ],
)
def test_pool_refusals(spec: str, code: str) -> None:
    """What MetalLB refuses in a pool is an error here too."""
    assert codes(read_text(text_of("IPAddressPool", "a", spec))) == [code]


@pytest.mark.parametrize(
    "selector",
    [
        "{matchExpressions: [{key: a, operator: In}]}",
        "{matchExpressions: [{key: a, operator: In, values: [x, x]}]}",
        "{matchExpressions: [{key: a, operator: Exists, values: [x]}]}",
        "{matchExpressions: [{key: a, operator: Near, values: [x]}]}",
        "{matchExpressions: [{operator: Exists}]}",
        "{matchLabels: {'a b': x}}",
        "{matchLabels: {a: 'x y'}}",
        "{matchLabels: {a: 5}}",
        "{matchLables: {a: b}}",
        "[]",
    ],
)
def test_selectors_are_checked(selector: str) -> None:
    """A selector that Kubernetes would refuse is an error."""
    text = text_of("BGPAdvertisement", "a", f"nodeSelectors: [{selector}]")
    assert only(read_text(text).problems).severity is Severity.ERROR


def test_advertisement_without_spec_announces_all() -> None:
    """An advertisement may have no spec at all: everything has its default."""
    for text in (text_of("BGPAdvertisement", "a"), text_of("BGPAdvertisement", "a", "{}")):
        advertisement = read_text(text).policy.bgp_advertisements[0]
        assert advertisement.local_pref is None
        assert advertisement.aggregation(Family.IPV4) == 32
        assert advertisement.aggregation(Family.IPV6) == 128


def test_advertisement_fields() -> None:
    """Every field and annotation of an advertisement reaches the model."""
    spec = """localPref: 200
communities: [64500:1, "large:1:2:3"]
ipAddressPools: [p1]
ipAddressPoolSelectors: [{matchLabels: {a: b}}]
nodeSelectors: [{}]
peers: [r1, r2]
aggregationLength: 26
aggregationLengthV6: 64"""
    annotations = "{orchestrator.io/med: '50', orchestrator.io/as-path-prepend: '2', "
    annotations += "orchestrator.io/next-hop: 192.0.2.9}"
    text = text_of("BGPAdvertisement", "a", spec, annotations=annotations)
    others = (peer_text("r1", "192.168.121.1"), peer_text("r2", "192.168.121.2"))
    reading = read_text(text, text_of("IPAddressPool", "p1", POOL), *others)
    assert reading.problems == ()
    found = reading.policy.bgp_advertisements[0]
    assert (found.local_pref, found.med, found.as_path_prepend) == (200, 50, 2)
    assert found.next_hop == ipaddress.ip_address("192.0.2.9")
    assert found.communities == {Community(64500, 1)}
    assert found.large_communities == {LargeCommunity(1, 2, 3)}
    assert (found.pools, found.peers) == (frozenset({"p1"}), frozenset({"r1", "r2"}))
    assert (found.aggregation_length, found.aggregation_length_v6) == (26, 64)
    assert len(found.pool_selectors) == len(found.node_selectors) == 1


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("aggregationLength: 0", "invalidValue"),
        ("aggregationLength: 33", "invalidValue"),
        ("aggregationLengthV6: 129", "invalidValue"),
        ("localPref: -1", "invalidValue"),
        ("peers: [a, a]", "duplicateItem"),
        ("ipAddressPools: [a, a]", "duplicateItem"),
        ("ipAddressPools: a", "wrongType"),
        ("communities: ['1:1', '1:1']", "duplicateItem"),
        ("serviceSelectors: [{}]\naggregationLength: 24", "brokenRule"),
        ("serviceSelectors: [{}]\naggregationLengthV6: 64", "brokenRule"),
    ],
)
def test_advertisement_refusals(spec: str, code: str) -> None:
    """What MetalLB refuses in an advertisement is an error here too."""
    assert codes(read_text(text_of("BGPAdvertisement", "a", spec))) == [code]


@pytest.mark.parametrize(
    "value",
    [
        "0x10:1",
        "1:65536",
        "1:-1",
        "1:",
        ":",
        "1:2:3",
        "large:1:2",
        "LARGE:1:2:3",
        "large:1: 2:3",
        "12345",
    ],
)
def test_what_is_no_community(value: str) -> None:
    """A malformed community is an error at its place."""
    problem = only(
        read_text(text_of("BGPAdvertisement", "a", f"communities: ['{value}']")).problems
    )
    assert (problem.code, problem.path) == ("invalidCommunity", "spec.communities[0]")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("med", "-1"),
        ("med", "4294967296"),
        ("med", "many"),
        ("as-path-prepend", "17"),
        ("next-hop", "0.0.0.0"),
        ("next-hop", "router"),
    ],
)
def test_annotations_are_checked(name: str, value: str) -> None:
    """An annotation that carries a setting is read as strictly as a field."""
    text = text_of("BGPAdvertisement", "a", annotations=f"{{orchestrator.io/{name}: '{value}'}}")
    problem = only(read_text(text).problems)
    assert problem.severity is Severity.ERROR
    assert problem.path == f"metadata.annotations.orchestrator.io/{name}"


def test_unknown_annotation_of_ours_is_a_warning() -> None:
    """A misspelt annotation is a warning with a hint; others are nobody's business."""
    text = text_of("BGPAdvertisement", "a", annotations="{orchestrator.io/mad: '1', other/x: y}")
    problem = only(read_text(text).problems)
    assert problem.severity is Severity.WARNING
    assert problem.hint == "did you mean orchestrator.io/med?"


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
