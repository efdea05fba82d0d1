"""What the kinds of configuration mean, field by field, and what is refused in each."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.address import AddressRange, Family
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.problem import Severity
from orchestrator.model.selector import Operator, Requirement, Selector
from tests.unit.config.samples import PEER, POOL, codes, only, read_text, text_of


def peer_text(name: str, address: str) -> str:
    """Make a peer with an address of its own."""
    return text_of("BGPPeer", name, PEER.replace("192.168.121.1", address))


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
