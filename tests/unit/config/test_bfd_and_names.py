"""What objects say of each other by name: BFDProfiles of peers, pools and peers of advertisements."""

from __future__ import annotations

import pytest

from orchestrator.model.policy import BFDProfile
from orchestrator.model.problem import Severity
from tests.unit.config.samples import PEER, POOL, codes, errors, only, read_text, text_of

PROFILE = text_of("BFDProfile", "fast", "{}")
ECHO = text_of("BFDProfile", "fast", "echoMode: true")
BFD_PEER = text_of("BGPPeer", "r1", PEER + "\nbfdProfile: fast")
POOL6 = text_of("IPAddressPool", "six", "addresses: ['2001:db8::/64']", labels="{v: '6'}")


def test_bfd_profile_fields() -> None:
    """Every field reaches the model; a profile may be empty."""
    spec = """receiveInterval: 10
transmitInterval: 60000
detectMultiplier: 255
echoInterval: 50
echoMode: true
passiveMode: true
minimumTtl: 254"""
    reading = read_text(text_of("BFDProfile", "a", spec), text_of("BFDProfile", "b"))
    assert reading.problems == ()
    full = BFDProfile("a", 10, 60000, 255, 50, echo_mode=True, passive_mode=True, minimum_ttl=254)
    assert reading.policy.bfd_profiles == (full, BFDProfile("b"))


@pytest.mark.parametrize(
    "spec",
    [
        "receiveInterval: 9",
        "receiveInterval: 60001",
        "transmitInterval: 9",
        "transmitInterval: 60001",
        "detectMultiplier: 1",
        "detectMultiplier: 256",
        "echoInterval: 9",
        "echoInterval: 60001",
        "minimumTtl: 0",
        "minimumTtl: 255",
        "echoMode: 1",
        "passiveMode: 'true'",
        "receiveInterval: 300ms",
    ],
)
def test_bfd_profile_limits(spec: str) -> None:
    """One beyond a limit is an error at that field."""
    problem = only(read_text(text_of("BFDProfile", "a", spec)).problems)
    assert problem.severity is Severity.ERROR
    assert problem.path == "spec." + spec.split(":", maxsplit=1)[0]


def test_unknown_profile_is_waited_for() -> None:
    """A peer whose profile does not exist waits, and has no session."""
    reading = read_text(BFD_PEER, text_of("BFDProfile", "faster"))
    problem = only(reading.problems)
    assert (problem.severity, problem.code) == (Severity.WAITING, "unknownBFDProfile")
    assert problem.object == "BGPPeer metallb-system/r1"
    assert problem.hint == "did you mean faster?"
    assert reading.policy.peers == ()
    assert reading.valid


def test_known_profile_is_a_warning() -> None:
    """With a profile the session runs, for now without BFD, and says so."""
    reading = read_text(BFD_PEER, PROFILE)
    problem = only(reading.problems)
    assert (problem.severity, problem.path) == (Severity.WARNING, "spec.bfdProfile")
    assert reading.policy.peers[0].bfd_profile == "fast"


@pytest.mark.parametrize(
    ("advertisement", "refused"),
    [
        ("{}", True),
        ("peers: [r1]", True),
        ("peers: [r2]", False),
        ("ipAddressPools: [four]", False),
        ("ipAddressPools: [six]", True),
        ("ipAddressPoolSelectors: [{matchLabels: {v: '6'}}]", True),
        ("serviceSelectors: [{matchLabels: {a: b}}]", True),
    ],
)
def test_echo_mode_and_ipv6(advertisement: str, refused: bool) -> None:
    """BFD's echo mode is refused on a peer that IPv6 addresses are announced to."""
    four = text_of("IPAddressPool", "four", POOL)
    other = text_of("BGPPeer", "r2", PEER.replace("121.1", "121.2"))
    announced = text_of("BGPAdvertisement", "a", advertisement)
    reading = read_text(ECHO, BFD_PEER, POOL6, four, other, announced)
    assert [problem.code for problem in errors(reading)] == ["bfdEchoWithIPv6"] * refused
    assert [peer.name for peer in reading.policy.peers] == (["r2"] if refused else ["r1", "r2"])


def test_echo_mode_without_ipv6() -> None:
    """Echo mode is no problem while no IPv6 pool is announced over BGP."""
    assert errors(read_text(ECHO, BFD_PEER, POOL6)) == []
    l2 = text_of("L2Advertisement", "a")
    assert errors(read_text(ECHO, BFD_PEER, POOL6, l2)) == []


@pytest.mark.parametrize("kind", ["BGPAdvertisement", "L2Advertisement"])
def test_unknown_pool_is_a_warning(kind: str) -> None:
    """A pool that does not exist is ignored as in MetalLB, but not in silence."""
    text = text_of(kind, "a", "ipAddressPools: [edge, egde]")
    reading = read_text(text, text_of("IPAddressPool", "edge", POOL))
    problem = only(reading.problems)
    assert (problem.severity, problem.code) == (Severity.WARNING, "unknownPool")
    assert (problem.path, problem.hint) == ("spec.ipAddressPools[1]", "did you mean edge?")
    assert reading.valid
    assert [*reading.policy.bgp_advertisements, *reading.policy.l2_advertisements]


def test_unknown_peer_is_a_warning() -> None:
    """The same for peers."""
    text = text_of("BGPAdvertisement", "a", "peers: [r2]")
    problem = only(read_text(text, text_of("BGPPeer", "r1", PEER)).problems)
    assert (problem.code, problem.path) == ("unknownPeer", "spec.peers[0]")


def test_faulty_objects_are_known_by_name() -> None:
    """Who names a faulty pool or peer is not told that there is none."""
    text = text_of("BGPAdvertisement", "a", "ipAddressPools: [p]\npeers: [r1]")
    pool = text_of("IPAddressPool", "p", "addresses: [x]")
    peer = text_of("BGPPeer", "r1", PEER.replace("64500", "0"))
    assert all(
        problem.severity is Severity.ERROR for problem in read_text(text, pool, peer).problems
    )


def test_alias_goes_before_value() -> None:
    """As in MetalLB an alias may be called like a value, and is then what it is."""
    alias = text_of("Community", "c", "communities: [{name: '12345', value: '64500:1'}]")
    text = text_of("BGPAdvertisement", "a", "communities: ['12345']")
    reading = read_text(text, alias)
    assert reading.problems == ()
    assert [str(found) for found in reading.policy.bgp_advertisements[0].communities] == ["64500:1"]
    assert codes(read_text(text)) == ["invalidCommunity"]


def test_alias_without_a_name() -> None:
    """MetalLB's API server takes an alias without a name; it is a warning."""
    problem = only(read_text(text_of("Community", "c", "communities: [{value: '1:1'}]")).problems)
    assert (problem.severity, problem.code) == (Severity.WARNING, "unnamedAlias")
