"""VirtualIP: addresses, checks, what happens when it is down, and what files may ask for."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.problem import Severity
from orchestrator.model.virtual_ip import (
    Check,
    ExecProbe,
    Health,
    HttpProbe,
    OnDown,
    PathByHealth,
    TcpProbe,
    VirtualIP,
)
from tests.unit.config.samples import VIP, only, read_text, text_of

TCP = "check: {tcp: {port: 80}%s}"


def vip_of(spec: str, **metadata: str) -> VirtualIP:
    """Read one VirtualIP without any problem."""
    reading = read_text(text_of("VirtualIP", "web", spec, **metadata))
    assert reading.problems == ()
    return reading.cluster.virtual_ips["web"]


def check_of(spec: str) -> Check:
    """Read the check of one VirtualIP."""
    check = vip_of(f"{VIP}\n{spec}").check
    assert check is not None
    return check


def test_shortest_one() -> None:
    """An address is enough: it is put on lo, always up, withdrawn when down."""
    expected = VirtualIP("web", (ipaddress.ip_address("192.0.2.1"),))
    assert vip_of(VIP) == expected


def test_every_field() -> None:
    """Labels, ports, binding, MED and communities by state reach the model."""
    spec = """addresses: [192.0.2.1, '2001:db8::1']
ports: [{port: 80}, {port: 53, protocol: UDP}]
bind: none
check: {tcp: {port: 80}}
onDown: demote
med: {up: 10, down: 200}
communities: {down: ['65535:0', 'large:1:2:3'], disabled: [64500:9]}"""
    vip = vip_of(spec, labels="{app: web}", creationTimestamp="2026-01-01T00:00:00Z")
    assert vip.ports == {("TCP", 80), ("UDP", 53)}
    assert vip.bind is None
    assert vip.on_down is OnDown.DEMOTE
    assert vip.labels == {"app": "web"}
    assert vip.created == "2026-01-01T00:00:00Z"
    down = PathByHealth(200, frozenset({Community(65535, 0)}), frozenset({LargeCommunity(1, 2, 3)}))
    assert vip.paths == {
        Health.UP: PathByHealth(10),
        Health.DOWN: down,
        Health.DISABLED: PathByHealth(communities=frozenset({Community(64500, 9)})),
    }


def test_pool_instead_of_addresses() -> None:
    """An address may be drawn from a pool."""
    vip = vip_of("pool: edge")
    assert (vip.addresses, vip.pool) == ((), "edge")


@pytest.mark.parametrize(
    ("check", "probe"),
    [
        ("{http: {port: 80}}", HttpProbe("127.0.0.1", 80)),
        (
            "{http: {port: 443, path: '/h?a=b', host: 192.0.2.9, scheme: https, statuses: [200, 204]}}",
            HttpProbe("192.0.2.9", 443, "/h?a=b", "https", frozenset({200, 204})),
        ),
        ("{tcp: {port: 22, host: localhost}}", TcpProbe("127.0.0.1", 22)),
        ("{tcp: {port: 22, host: '::1'}}", TcpProbe("::1", 22)),
        ("{exec: {command: [/bin/true, a b]}}", ExecProbe(("/bin/true", "a b"))),
    ],
)
def test_probes(check: str, probe: HttpProbe | TcpProbe | ExecProbe) -> None:
    """Each type of probe, on loopback unless told."""
    assert check_of(f"check: {check}").probe == probe


def test_times_and_counts() -> None:
    """Times, counts and the disable file; the fast interval never exceeds the interval."""
    given = ", intervalMs: 3000, fastIntervalMs: 700, timeoutMs: 900, rise: 4, fall: 5"
    check = check_of(TCP % f"{given}, disableFile: /run/off")
    probe = TcpProbe("127.0.0.1", 80)
    assert check == Check(probe, 3000, 700, 900, 4, 5, "/run/off")
    assert check_of(TCP % "") == Check(probe)
    assert check_of(TCP % ", intervalMs: 100").fast_interval_ms == 100


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("bind: lo", "spec"),
        (f"{VIP}\npool: a", "spec.pool"),
        ("addresses: [192.0.2.1/32]", "spec.addresses[0]"),
        ("addresses: [127.0.0.1]", "spec.addresses[0]"),
        ("addresses: [224.0.0.1]", "spec.addresses[0]"),
        ("addresses: ['fe80::1']", "spec.addresses[0]"),
        ("addresses: [192.0.2.1, 192.0.2.1]", "spec.addresses[1]"),
        (f"{VIP}\nports: [{{port: 0}}]", "spec.ports[0].port"),
        (f"{VIP}\nports: [{{port: 80, protocol: ICMP}}]", "spec.ports[0].protocol"),
        (f"{VIP}\nports: [{{port: 80}}, {{port: 80, protocol: TCP}}]", "spec.ports[1]"),
        (f"{VIP}\nbind: 'a b'", "spec.bind"),
        (f"{VIP}\nbind: interface-too-long", "spec.bind"),
        (f"{VIP}\nonDown: stay", "spec.onDown"),
        (f"{VIP}\nmed: {{up: -1}}", "spec.med.up"),
        (f"{VIP}\nmed: {{upp: 1}}", "spec.med.upp"),
        (f"{VIP}\ncommunities: {{up: ['1:2:3']}}", "spec.communities.up[0]"),
        (f"{VIP}\ncheck: {{}}", "spec.check"),
        (f"{VIP}\ncheck: {{tcp: {{port: 1}}, http: {{port: 1}}}}", "spec.check.tcp"),
        (f"{VIP}\ncheck: {{tcp: {{}}}}", "spec.check.tcp.port"),
        (f"{VIP}\ncheck: {{tcp: {{port: 1, host: example.org}}}}", "spec.check.tcp.host"),
        (f"{VIP}\ncheck: {{http: {{port: 1, path: health}}}}", "spec.check.http.path"),
        (f'{VIP}\ncheck: {{http: {{port: 1, path: "/a\\r\\nX: y"}}}}', "spec.check.http.path"),
        (f"{VIP}\ncheck: {{http: {{port: 1, statuses: [99]}}}}", "spec.check.http.statuses[0]"),
        (f"{VIP}\ncheck: {{exec: {{command: []}}}}", "spec.check.exec.command"),
        (f"{VIP}\ncheck: {{exec: {{command: [true.sh]}}}}", "spec.check.exec.command[0]"),
        (f"{VIP}\ncheck: {{exec: {{command: /bin/true}}}}", "spec.check.exec.command"),
        (f"{VIP}\n{TCP % ', rise: 0'}", "spec.check.rise"),
        (f"{VIP}\n{TCP % ', intervalMs: 10'}", "spec.check.intervalMs"),
        (f"{VIP}\n{TCP % ', intervalMs: 100, fastIntervalMs: 200'}", "spec.check.fastIntervalMs"),
        (f"{VIP}\n{TCP % ', disableFile: run/off'}", "spec.check.disableFile"),
    ],
)
def test_refusals(spec: str, path: str) -> None:
    """What cannot work is one error at its field, and the VIP is out of force."""
    reading = read_text(text_of("VirtualIP", "web", spec))
    problem = only(reading.problems)
    assert (problem.severity, problem.path) == (Severity.ERROR, path)
    assert reading.cluster.virtual_ips == {}


def untrusted(spec: str) -> Reading:
    """Read a VirtualIP from a source that may not name commands or files."""
    text = text_of("VirtualIP", "web", f"{VIP}\n{spec}")
    return read([Source("a", text.encode(), trusted=False)])


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("check: {exec: {command: [/bin/true]}}", "spec.check.exec"),
        (TCP % ", disableFile: /run/off", "spec.check.disableFile"),
        ("check: {tcp: {port: 80, host: 198.51.100.7}}", "spec.check.tcp.host"),
        ("check: {http: {port: 80, host: 169.254.169.254}}", "spec.check.http.host"),
    ],
)
def test_commands_and_paths_need_a_trusted_file(spec: str, path: str) -> None:
    """A source that others can write names no commands, files or foreign hosts."""
    problem = only(untrusted(spec).problems)
    assert (problem.code, problem.path) == ("untrusted", path)


@pytest.mark.parametrize("host", ["127.0.0.1", "'::1'", "192.0.2.1"])
def test_own_addresses_may_be_probed_by_anybody(host: str) -> None:
    """Loopback and the VIP's own addresses are no foreign hosts."""
    assert untrusted(f"check: {{tcp: {{port: 80, host: {host}}}}}").problems == ()


@pytest.mark.parametrize("spec", ["onDown: demote", f"onDown: demote\n{TCP % ''}\nmed: {{up: 5}}"])
def test_demote_that_changes_nothing_is_a_warning(spec: str) -> None:
    """Demoting without attributes for it, or without a check, is pointed out."""
    reading = read_text(text_of("VirtualIP", "web", f"{VIP}\n{spec}"))
    assert {problem.code for problem in reading.problems} == {"demoteWithoutEffect"}
    assert reading.valid
