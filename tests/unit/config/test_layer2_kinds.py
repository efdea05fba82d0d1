"""L2Advertisement and VirtualRouter: every field, and what is refused."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.policy import L2Advertisement, Preference
from orchestrator.model.problem import Severity
from orchestrator.model.selector import Operator, Requirement, Selector
from orchestrator.model.virtual_router import (
    ChecksumForm,
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    VirtualRouter,
)
from tests.unit.config.samples import POOL, ROUTER, VIP, codes, errors, only, read_text, text_of


def test_l2_advertisement_without_spec() -> None:
    """An advertisement may have no spec at all: everything from everywhere."""
    for text in (text_of("L2Advertisement", "a"), text_of("L2Advertisement", "a", "{}")):
        reading = read_text(text)
        assert reading.problems == ()
        assert reading.policy.l2_advertisements == (L2Advertisement("a"),)


def test_l2_advertisement_fields() -> None:
    """Every field reaches the model."""
    spec = """ipAddressPools: [p1]
ipAddressPoolSelectors: [{matchLabels: {a: b}}]
nodeSelectors: [{}]
serviceSelectors: [{}, {matchLabels: {x: y}}]
interfaces: [eth0, bond0.7]
preferredNodeSelectors:
- {weight: 100, preference: {matchLabels: {rack: a}}}
- {weight: 1, preference: {}}"""
    pool = text_of("IPAddressPool", "p1", POOL)
    reading = read_text(text_of("L2Advertisement", "a", spec), pool)
    assert reading.problems == ()
    found = reading.policy.l2_advertisements[0]
    rack = Selector((Requirement("rack", Operator.IN, frozenset({"a"})),))
    assert found.pools == {"p1"}
    assert found.interfaces == {"eth0", "bond0.7"}
    assert found.preferences == (Preference(100, rack), Preference(1, Selector()))
    assert len(found.pool_selectors) == len(found.node_selectors) == 1
    assert len(found.service_selectors) == 2


@pytest.mark.parametrize(
    "spec",
    [
        "ipAddressPools: [a, a]",
        "ipAddressPools: a",
        "nodeSelectors: [{}, {}]",
        "interfaces: ['']",
        "interfaces: ['a/b']",
        "interfaces: [sixteen-letters-]",
        "preferredNodeSelectors: [{weight: 0, preference: {}}]",
        "preferredNodeSelectors: [{weight: 101, preference: {}}]",
        "preferredNodeSelectors: [{weight: 1}]",
        "preferredNodeSelectors: [{preference: {}}]",
        "preferredNodeSelectors: [{weight: 1, preference: {matchLabels: {a: 5}}}]",
        "peers: [a]",
    ],
)
def test_l2_advertisement_refusals(spec: str) -> None:
    """What MetalLB's API server would refuse is an error."""
    pools = text_of("IPAddressPool", "a", POOL)
    reading = read_text(text_of("L2Advertisement", "a", spec), pools)
    assert [problem.severity for problem in reading.problems] == [Severity.ERROR]
    assert reading.policy.l2_advertisements == ()


def router_of(spec: str) -> VirtualRouter:
    """Read one virtual router that has no error."""
    reading = read_text(text_of("VirtualRouter", "a", spec), text_of("VirtualIP", "web", VIP))
    assert errors(reading) == []
    assert set(codes(reading)) <= {"noLinkLocalFirst"}
    return reading.policy.virtual_routers[0]


def test_virtual_router_defaults() -> None:
    """A router with the required fields only."""
    address = ipaddress.ip_interface("192.0.2.254/24")
    assert router_of(ROUTER) == VirtualRouter("a", "eth0", 51, addresses=(address,))
    assert read_text(text_of("VirtualRouter", "a", ROUTER)).problems == ()


@pytest.mark.parametrize(
    ("bind", "where"), [("lo", "lo"), ("interface", "eth0"), ("eth7", "eth7"), ("none", None)]
)
def test_virtual_router_bind(bind: str, where: str | None) -> None:
    """`interface` is the router's own, `none` no interface at all."""
    assert router_of(f"{ROUTER}\nbind: {bind}").bind == where


def test_virtual_router_fields() -> None:
    """Every field reaches the model."""
    spec = """interface: eth0
vrid: 255
version: 2
priority: 255
advertIntervalMs: 255000
preempt: false
preemptDelayMs: 3000
addresses: [192.0.2.254, 192.0.2.253/24]
excludedAddresses: ['2001:db8::1/64']
authentication: {password: geheim12}
checksum: rfc9568
unicastPeers: [192.0.2.2]
virtualMAC: true
bind: eth0
syncGroup: edge
notify: [/usr/local/bin/tell, me]
track:
- {interface: eth1}
- {interface: eth2, weight: -20}
- {file: /run/weight}
- {file: /run/weight, weight: -2}
- {command: [/bin/works, now], weight: 5, intervalMs: 500, timeoutMs: 200, rise: 2, fall: 3}
- {command: [/bin/works]}
- {virtualIP: web, weight: 9}"""
    router = router_of(spec)
    assert (router.version, router.priority, router.advert_interval_ms) == (2, 255, 255000)
    assert (router.preempt, router.preempt_delay_ms) == (False, 3000)
    assert [str(address) for address in router.addresses] == ["192.0.2.254/32", "192.0.2.253/24"]
    assert [str(address) for address in router.excluded_addresses] == ["2001:db8::1/64"]
    assert (router.password or "").startswith("geheim")
    assert "geheim" not in repr(router)
    assert router.checksum is ChecksumForm.RFC9568
    assert router.unicast_peers == (ipaddress.ip_address("192.0.2.2"),)
    assert (router.virtual_mac, router.bind, router.sync_group) == (True, "eth0", "edge")
    assert router.notify == ("/usr/local/bin/tell", "me")
    assert router.track == (
        InterfaceTrack("eth1"),
        InterfaceTrack("eth2", -20),
        FileTrack("/run/weight", 1),
        FileTrack("/run/weight", -2),
        CommandTrack(("/bin/works", "now"), 500, 200, 2, 3, 5),
        CommandTrack(("/bin/works",)),
        HealthTrack("web", 9),
    )


SIX = ROUTER.replace("192.0.2.254/24", "'fe80::1', '2001:db8::1/64'")


def test_ipv6_virtual_router() -> None:
    """IPv6 is for version 3; the first address ought to be link-local, or there is a warning."""
    assert len(router_of(SIX).addresses) == 2
    text = text_of("VirtualRouter", "a", ROUTER.replace("192.0.2.254/24", "'2001:db8::1/64'"))
    assert codes(read_text(text)) == ["noLinkLocalFirst"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (ROUTER.replace("51", "0"), "spec.vrid"),
        (ROUTER.replace("51", "256"), "spec.vrid"),
        (ROUTER.replace("vrid: 51\n", ""), "spec.vrid"),
        (ROUTER.replace("eth0", "''"), "spec.interface"),
        (ROUTER.replace("192.0.2.254/24", ""), "spec.addresses"),
        (ROUTER.replace("192.0.2.254/24", "192.0.2.254/33"), "spec.addresses[0]"),
        (ROUTER.replace("192.0.2.254/24", "127.0.0.1"), "spec.addresses[0]"),
        (ROUTER.replace("192.0.2.254/24", "192.0.2.1, 'fe80::1'"), "spec.addresses"),
        (ROUTER.replace("192.0.2.254/24", "192.0.2.1, 192.0.2.1"), "spec.addresses[1]"),
        (SIX + "\nversion: 2", "spec.version"),
        (ROUTER + "\nversion: 4", "spec.version"),
        (ROUTER + "\npriority: 0", "spec.priority"),
        (ROUTER + "\npriority: 256", "spec.priority"),
        (ROUTER + "\nadvertIntervalMs: 9", "spec.advertIntervalMs"),
        (ROUTER + "\nadvertIntervalMs: 15", "spec.advertIntervalMs"),
        (ROUTER + "\nadvertIntervalMs: 40960", "spec.advertIntervalMs"),
        (ROUTER + "\nversion: 2\nadvertIntervalMs: 1500", "spec.advertIntervalMs"),
        (ROUTER + "\nversion: 2\nadvertIntervalMs: 500", "spec.advertIntervalMs"),
        (ROUTER + "\nversion: 2\nadvertIntervalMs: 256000", "spec.advertIntervalMs"),
        (ROUTER + "\nauthentication: {password: x}", "spec.authentication"),
        (
            ROUTER + "\nversion: 2\nauthentication: {password: ninechars}",
            "spec.authentication.password",
        ),
        (ROUTER + "\nversion: 2\nauthentication: {password: ''}", "spec.authentication.password"),
        (ROUTER + "\nversion: 2\nauthentication: {}", "spec.authentication.password"),
        (ROUTER + "\nchecksum: none", "spec.checksum"),
        (ROUTER + "\nunicastPeers: ['fe80::2']", "spec.unicastPeers"),
        (ROUTER + "\nexcludedAddresses: [192.0.2.254]", "spec.excludedAddresses"),
        (ROUTER + "\nnotify: [tell]", "spec.notify[0]"),
        (ROUTER + "\nnotify: []", "spec.notify"),
        (ROUTER + "\ntrack: [{}]", "spec.track[0]"),
        (ROUTER + "\ntrack: [{interface: a, file: /b}]", "spec.track[0].file"),
        (ROUTER + "\ntrack: [{file: b}]", "spec.track[0].file"),
        (ROUTER + "\ntrack: [{command: [b]}]", "spec.track[0].command[0]"),
        (ROUTER + "\ntrack: [{interface: b, weight: 254}]", "spec.track[0].weight"),
        (ROUTER + "\ntrack: [{interface: b, rise: 2}]", "spec.track[0].rise"),
    ],
)
def test_virtual_router_refusals(spec: str, path: str) -> None:
    """What cannot work is one error at its field."""
    reading = read_text(text_of("VirtualRouter", "a", spec))
    assert only(errors(reading)).path == path
    assert reading.policy.virtual_routers == ()


@pytest.mark.parametrize(
    "name", ["notify: [/bin/x]", "track: [{file: /x}]", "track: [{command: [/x]}]"]
)
def test_commands_and_paths_come_from_trusted_files(name: str) -> None:
    """Nobody who cannot write root's files may name what runs here."""
    text = text_of("VirtualRouter", "a", f"{ROUTER}\n{name}").encode()
    assert errors(read([Source("f", text)])) == []
    assert only(errors(read([Source("f", text, trusted=False)]))).code == "untrusted"


def test_tracked_virtual_ip_may_yet_appear() -> None:
    """A VirtualIP that does not exist is waited for, and the nearest name is suggested."""
    text = text_of("VirtualRouter", "a", ROUTER + "\ntrack: [{virtualIP: wep}]")
    reading = read_text(text, text_of("VirtualIP", "web", VIP))
    waiting = [found for found in reading.problems if found.severity is Severity.WAITING]
    assert only(waiting).hint == "did you mean web?"
    assert only(waiting).path == "spec.track[0].virtualIP"
    assert reading.policy.virtual_routers == ()


def routers(*specs: str) -> Reading:
    """Read several routers, named by their place."""
    return read_text(*(text_of("VirtualRouter", f"r{n}", spec) for n, spec in enumerate(specs)))


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        (ROUTER.replace("192.0.2.254", "192.0.2.253"), True),
        (ROUTER.replace("51", "52"), False),
        (ROUTER.replace("eth0", "eth1"), False),
        (SIX, False),
    ],
)
def test_one_vrid_for_each_interface_and_family(other: str, clash: bool) -> None:
    """Two routers of one interface, vrid and family are an error on the later one."""
    reading = routers(ROUTER, other)
    assert [found.code for found in errors(reading)] == ["duplicateVirtualRouter"] * clash
    assert len(reading.policy.virtual_routers) == 2 - clash
