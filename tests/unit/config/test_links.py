"""How objects fit together: overlaps, aliases, conflicts, duplicates, namespaces."""

from __future__ import annotations

import pytest

from orchestrator.config.reading import Reading
from orchestrator.model.community import Community
from orchestrator.model.problem import Severity
from orchestrator.model.virtual_ip import Health
from tests.unit.config.samples import (
    PEER,
    POOL,
    VIP,
    codes,
    errors,
    only,
    read_files,
    read_text,
    text_of,
)

NODES = [text_of("Node", name, labels=f"{{name: {name}}}") for name in ("n1", "n2")]


def on(name: str) -> str:
    """Select one node by label."""
    return f"nodeSelectors: [{{matchLabels: {{name: {name}}}}}]"


def pool(name: str, addresses: str, created: str = "") -> str:
    """Make a pool, with a creation time if given."""
    metadata = {"creationTimestamp": created} if created else {}
    return text_of("IPAddressPool", name, f"addresses: [{addresses}]", **metadata)


def pools_of(reading: Reading) -> list[str]:
    """Names of the pools in force."""
    return [pool.name for pool in reading.policy.pools]


def test_overlapping_pools_leave_the_later_name_out() -> None:
    """Without creation times the pool that comes later by name is left out, wherever it stands."""
    reading = read_text(pool("b", "10.0.0.0/24"), pool("a", "10.0.0.128/25, 10.9.0.0/24"))
    assert pools_of(reading) == ["a"]
    problem = only(reading.problems)
    assert (problem.code, problem.object) == ("overlappingPools", "IPAddressPool metallb-system/b")
    assert problem.path == "spec.addresses[0]"
    assert reading.policy.pools_faulty


def test_overlapping_pools_leave_the_younger_out() -> None:
    """With creation times the younger one is left out."""
    old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    reading = read_text(pool("a", "10.0.0.0/24", new), pool("b", "10.0.0.0/25", old))
    assert pools_of(reading) == ["b"]


def test_three_pools_of_which_the_middle_one_is_out() -> None:
    """A pool that is left out takes no other pool down."""
    reading = read_text(
        pool("a", "10.0.0.0/24"), pool("b", "10.0.0.0/16"), pool("c", "10.0.9.0/24")
    )
    assert pools_of(reading) == ["a", "c"]


def test_families_do_not_overlap() -> None:
    """Equal numbers of different families are different addresses."""
    reading = read_text(pool("a", "0.0.0.0/8"), pool("b", "'::/104'"))
    assert reading.problems == ()


def advertisement(name: str, spec: str) -> str:
    """Make an advertisement."""
    return text_of("BGPAdvertisement", name, spec)


def test_aggregate_wider_than_the_pool() -> None:
    """An aggregate may not reach beyond an entry of a pool that the advertisement covers."""
    wide = advertisement("adv", "aggregationLength: 24")
    assert read_text(pool("a", "10.0.0.0/24"), wide).problems == ()
    reading = read_text(pool("a", "10.0.0.0/25"), wide)
    problem = only(reading.problems)
    assert (problem.code, problem.path) == ("aggregationTooWide", "spec.aggregationLength")
    assert reading.policy.bgp_advertisements == ()


@pytest.mark.parametrize(
    ("addresses", "length", "valid"),
    [
        ("10.0.0.0-10.0.1.255", 23, True),
        ("10.0.0.0-10.0.1.255", 22, False),
        ("10.0.0.1-10.0.0.6", 31, True),
        ("10.0.0.1-10.0.0.6", 30, False),
        ("'2001:db8::/64'", 1, True),
    ],
)
def test_aggregate_of_a_range(addresses: str, length: int, valid: bool) -> None:
    """A range counts as the widest CIDR it is made of; another family does not count."""
    adv = advertisement("adv", f"aggregationLength: {length}")
    assert read_text(pool("a", addresses), adv).valid is valid


def test_aggregate_concerns_covered_pools_only() -> None:
    """A pool that the advertisement does not name is no matter."""
    adv = advertisement("adv", "aggregationLength: 16\nipAddressPools: [big]")
    assert read_text(pool("big", "10.0.0.0/16"), pool("small", "10.9.0.0/24"), adv).valid


CONFLICTS = [
    ("localPref: 100", "localPref: 200", False),
    ("localPref: 100", "localPref: 100", True),
    ("localPref: 100", "{}", False),
    ("localPref: 100\npeers: [a]", "localPref: 200\npeers: [b]", True),
    ("localPref: 100\npeers: [a, b]", "localPref: 200\npeers: [b]", False),
    ("localPref: 100\npeers: [a]", "localPref: 200", False),
    ("localPref: 100\naggregationLength: 24", "localPref: 200", True),
    ("localPref: 100\naggregationLengthV6: 64", "localPref: 200", False),
    (f"localPref: 100\n{on('n1')}", f"localPref: 200\n{on('n2')}", True),
    (f"localPref: 100\n{on('n1')}", "localPref: 200", False),
    ("localPref: 100\nserviceSelectors: [{}]", "localPref: 200", True),
    ("localPref: 100\nipAddressPools: [p]", "localPref: 200\nipAddressPools: [other]", True),
]


@pytest.mark.parametrize(("first", "second", "valid"), CONFLICTS)
def test_conflicting_local_preference(first: str, second: str, valid: bool) -> None:
    """Two advertisements of one pool clash when a common peer and node would get two values."""
    reading = read_text(
        *NODES, pool("p", "10.0.0.0/24"), advertisement("one", first), advertisement("two", second)
    )
    assert reading.valid is valid
    names = [found.name for found in reading.policy.bgp_advertisements]
    assert names == (["one", "two"] if valid else ["one"])
    if not valid:
        assert only(errors(reading)).object == "BGPAdvertisement metallb-system/two"


def test_without_nodes_all_advertisements_meet() -> None:
    """Where no Node is known, advertisements without node selectors share this host."""
    reading = read_text(
        pool("p", "10.0.0.0/24"),
        advertisement("a", "localPref: 1"),
        advertisement("b", "localPref: 2"),
    )
    assert codes(reading) == ["conflictingLocalPref"]


ALIASES = text_of("Community", "names", "communities: [{name: web, value: 64500:80}]")


def test_aliases_are_resolved() -> None:
    """Names of communities are found in Community objects, in advertisements and VIPs."""
    vip = text_of("VirtualIP", "v", f"{VIP}\ncommunities: {{down: [web]}}")
    reading = read_text(advertisement("a", "communities: [web, '1:2']"), vip, ALIASES)
    assert reading.problems == ()
    found = reading.policy.bgp_advertisements[0]
    assert found.communities == {Community(64500, 80), Community(1, 2)}
    down = reading.cluster.virtual_ips["v"].paths[Health.DOWN]
    assert down.communities == {Community(64500, 80)}


def test_unknown_alias_is_waited_for() -> None:
    """What names an unknown alias waits, and is never announced without the community."""
    vip = text_of("VirtualIP", "v", f"{VIP}\ncommunities: {{down: [nobody]}}")
    reading = read_text(advertisement("a", "communities: ['1:2', nobody]"), vip, ALIASES)
    assert [problem.severity for problem in reading.problems] == [Severity.WAITING] * 2
    assert reading.problems[0].path == "spec.communities[1]"
    assert reading.policy.bgp_advertisements == ()
    assert reading.cluster.virtual_ips == {}


def test_alias_defined_twice() -> None:
    """An alias may be defined once, in one object or several."""
    twice = text_of(
        "Community", "a", "communities: [{name: x, value: '1:1'}, {name: x, value: '1:1'}]"
    )
    assert codes(read_text(twice)) == ["duplicateAlias"]
    again = text_of(
        "Community", "other", "communities: [{name: y, value: '1:1'}, {name: web, value: '1:1'}]"
    )
    problem = only(read_text(ALIASES, again).problems)
    assert (problem.object, problem.path) == (
        "Community metallb-system/other",
        "spec.communities[1].name",
    )


def peer(name: str, extra: str = "") -> str:
    """Make a peer."""
    return text_of("BGPPeer", name, PEER + extra)


@pytest.mark.parametrize(
    ("first", "second", "valid"),
    [
        ("", "", False),
        (f"\n{on('n1')}", "", False),
        (f"\n{on('n1')}", f"\n{on('n2')}", True),
    ],
)
def test_two_peers_with_one_address(first: str, second: str, valid: bool) -> None:
    """Two sessions of one node to one address are an error on the later one."""
    reading = read_text(*NODES, peer("a", first), peer("b", second))
    assert [found.name for found in reading.policy.peers] == (["a", "b"] if valid else ["a"])
    assert reading.valid is valid


def test_object_given_twice() -> None:
    """Of two different objects with one name the first counts; equal ones are no problem.

    Unless they are configuration in one file, where it is a slip.
    """
    first, other = pool("a", "10.0.0.0/24"), pool("a", "10.1.0.0/24")
    assert read_files({"x.yaml": first, "y.yaml": first}).problems == ()
    assert only(read_text(first, first).problems).code == "duplicateObject"
    reading = read_files({"x.yaml": first, "y.yaml": other})
    assert str(reading.policy.pools[0].ranges[0].first) == "10.0.0.0"
    problem = only(reading.problems)
    assert problem.place == "y.yaml:1:1"
    assert "x.yaml:1" in problem.message


def test_namespace_of_configuration() -> None:
    """Configuration lives in one namespace; elsewhere it is an error and out of force."""
    here = text_of("IPAddressPool", "a", POOL, namespace="lb")
    elsewhere = text_of("IPAddressPool", "b", "addresses: [10.0.0.0/24]", namespace="default")
    unsaid = text_of("IPAddressPool", "c", "addresses: [10.1.0.0/24]")
    reading = read_text(here, elsewhere, unsaid, namespace="lb")
    assert pools_of(reading) == ["a", "c"]
    problem = only(reading.problems)
    assert (problem.code, problem.object) == ("wrongNamespace", "IPAddressPool default/b")


def test_problems_are_in_the_order_of_the_text() -> None:
    """Problems of one object and between objects are sorted by place."""
    reading = read_text(
        advertisement("a", "communities: [nobody]"),
        pool("b", "x"),
        peer("c", "\npasswordSecret: {name: s}"),
    )
    lines = [int(problem.place.split(":")[1]) for problem in reading.problems]
    assert lines == sorted(lines)
    assert len(lines) == 3
