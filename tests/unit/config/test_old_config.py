"""MetalLB v0.9 to v0.12: what its configuration means here, and what it refused (metallb.md 6)."""

from __future__ import annotations

import pytest

from orchestrator.model.community import Community
from orchestrator.model.policy import Policy
from tests.unit.config.old_samples import PEER, policy, refused
from tests.unit.config.samples import codes, errors, only, read_text

LAYER2 = """\
address-pools:
- name: default
  protocol: layer2
  avoid-buggy-ips: true
  addresses:
  - 16.186.72.2-16.186.79.254
"""
BGP = """\
peers:
- peer-address: 16.186.72.1
  peer-asn: 64501
  my-asn: 64500
address-pools:
- name: default
  protocol: bgp
  avoid-buggy-ips: true
  addresses:
  - 192.168.122.1/24
"""
POOL = "address-pools:\n- {name: a, protocol: bgp, addresses: [10.20.0.0/16]%s}\n"


def config_map(text: str, namespace: str = "metallb-system", name: str = "config") -> str:
    """Wrap a configuration as kubectl shows it."""
    head = "apiVersion: v1\ndata:\n  config: |\n"
    body = "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
    return f"{head}{body}kind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"


@pytest.mark.parametrize("wrapped", [True, False])
def test_layer2_of_v0_9_5(wrapped: bool) -> None:
    """A layer2 pool becomes a pool and an L2Advertisement of it, and no route."""
    found = policy(config_map(LAYER2) if wrapped else LAYER2)
    assert [pool.name for pool in found.pools] == ["default"]
    assert found.pools[0].avoid_buggy_ips
    assert found.l2_advertisements[0].name == "l2advertisement1"
    assert found.l2_advertisements[0].pools == {"default"}
    assert not found.bgp_advertisements


@pytest.mark.parametrize("wrapped", [True, False])
def test_bgp_of_v0_9_5(wrapped: bool) -> None:
    """A bgp pool has one plain advertisement; host bits of its CIDR are masked; hold time is 90 s."""
    found = policy(config_map(BGP) if wrapped else BGP)
    assert str(found.pools[0].ranges[0].first) == "192.168.122.0"
    advertisement = found.bgp_advertisements[0]
    assert advertisement.name == "bgpadvertisement1"
    assert advertisement.pools == {"default"}
    assert (advertisement.aggregation_length, advertisement.communities) == (32, frozenset())
    peer = found.peers[0]
    assert (peer.name, peer.my_asn, peer.peer_asn, peer.hold_time_s) == ("peer1", 64500, 64501, 90)
    assert not found.l2_advertisements


def test_a_text_on_one_line() -> None:
    """A ConfigMap in JSON, with its text on one line, means the same."""
    text = (
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, '
        '"data": {"config": "address-pools:\\n- {name: a, protocol: layer2, '
        'addresses: [10.0.0.0/24]}\\n"}}'
    )
    bare = "address-pools:\n- {name: a, protocol: layer2, addresses: [10.0.0.0/24]}\n"
    assert policy(text) == policy(bare)


def test_configuration_in_a_list() -> None:
    """A ConfigMap in a List, among other ConfigMaps and kinds, is read."""
    inner = "\n".join(f"  {line}" for line in config_map(BGP).splitlines())
    other = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: y}, data: {a: b}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n{other}\n-{inner[1:]}\n"
    reading = read_text(text)
    assert codes(reading) == []
    assert [peer.name for peer in reading.policy.peers] == ["peer1"]


@pytest.mark.parametrize(
    ("namespace", "name"), [("kube-system", "config"), ("metallb-system", "other")]
)
def test_other_config_maps_mean_nothing(namespace: str, name: str) -> None:
    """Only the ConfigMap `config` beside our configuration counts; others are nobody's business."""
    reading = read_text(config_map("peers: [wrong]", namespace, name))
    assert codes(reading) == []
    assert reading.policy == Policy()


def test_namespace_of_the_configuration() -> None:
    """With --namespace it is the ConfigMap of that namespace that counts."""
    reading = read_text(config_map(BGP, "lb"), namespace="lb")
    assert [pool.name for pool in reading.policy.pools] == ["default"]


def test_advertisements() -> None:
    """Advertisements are numbered over all pools; aliases and values both become communities."""
    text = """\
bgp-communities: {quiet: "65535:65281", "7": "1:7"}
address-pools:
- name: a
  protocol: bgp
  addresses: [10.20.0.0/16]
  bgp-advertisements:
  - {aggregation-length: 32, localpref: 100, communities: [quiet, 1234:2345, 7]}
  - {aggregation-length: 24, aggregation-length-v6: 64}
- {name: b, protocol: layer2, addresses: [10.30.0.0/24]}
- {name: c, protocol: bgp, addresses: [10.40.0.0/24]}
"""
    found = policy(text)
    first, second, third = found.bgp_advertisements
    names = [advertisement.name for advertisement in found.bgp_advertisements]
    assert names == ["bgpadvertisement1", "bgpadvertisement2", "bgpadvertisement3"]
    expected = {Community(65535, 65281), Community(1234, 2345), Community(1, 7)}
    assert first.local_pref == 100
    assert first.communities == expected
    assert (second.aggregation_length, second.aggregation_length_v6) == (24, 64)
    assert third.pools == {"c"}
    assert [found.name for found in found.l2_advertisements] == ["l2advertisement1"]


@pytest.mark.parametrize(
    "written",
    [
        "aggregation-length: 33",
        "aggregation-length: 15",
        "aggregation-length-v6: 129",
        "localpref: -1",
        "localpref: 4294967296",
        "communities: ['1234']",
        "communities: [unknown]",
        "communities: ['large:1:2:3']",
        "communities: ['1:2:3']",
        "communities: ['99999:1']",
        "communities: ['1:2', '1:2']",
    ],
)
def test_refused_settings_of_an_advertisement(written: str) -> None:
    """A faulty advertisement is an error of its own; the pool stays."""
    reading = refused(POOL % f", bgp-advertisements: [{{{written}}}]")
    assert {p.object for p in reading.problems} == {
        "BGPAdvertisement metallb-system/bgpadvertisement1"
    }
    assert [pool.name for pool in reading.policy.pools] == ["a"]


def test_an_empty_advertisement_is_a_plain_one() -> None:
    """An item of the list without a value is the plain announcement."""
    found = policy(POOL % ", bgp-advertisements: [null]").bgp_advertisements
    assert found == policy(POOL % "").bgp_advertisements


def test_equal_advertisements_are_refused() -> None:
    """Two equal advertisements of a pool are an error, whatever they say."""
    reading = refused(POOL % ", bgp-advertisements: [{localpref: 1}, {localpref: 1}]")
    assert only(reading.problems).path == "address-pools[0].bgp-advertisements[1]"


@pytest.mark.parametrize(
    ("text", "object_name"),
    [
        ("{name: a, protocol: bgp}", "IPAddressPool metallb-system/a"),
        ("{name: a, protocol: bgp, addresses: []}", "IPAddressPool metallb-system/a"),
        ("{name: a, addresses: [10.0.0.0/24]}", "IPAddressPool metallb-system/a"),
        ("{name: a, protocol: babel, addresses: [10.0.0.0/24]}", "IPAddressPool metallb-system/a"),
        ("{name: a, protocol: bgp, addresses: [100.200.300.400/24]}", "IPAddressPool"),
        ("{name: a, protocol: bgp, addresses: [10.0.0.9-10.0.0.1]}", "IPAddressPool"),
        ("{name: a, protocol: bgp, addresses: [10.0.0.0/24, 10.0.0.5/32]}", "IPAddressPool"),
        ("{name: a, protocol: bgp, addresses: [10.0.0.0/24], auto-assign: perhaps}", "IPAddress"),
        (
            "{name: a, protocol: layer2, addresses: [10.0.0.0/24], bgp-advertisements: [{}]}",
            "IPAddressPool metallb-system/a",
        ),
        ("{protocol: bgp, addresses: [10.0.0.0/24]}", "test.yaml"),
        ("{name: '', protocol: bgp, addresses: [10.0.0.0/24]}", "test.yaml"),
        ("{name: '###', protocol: bgp, addresses: [10.0.0.0/24]}", "test.yaml"),
    ],
)
def test_refused_pools(text: str, object_name: str) -> None:
    """A faulty pool is an error, named by the pool or, without a usable name, by the file."""
    reading = refused(f"address-pools:\n- {text}\n")
    assert all(problem.object.startswith(object_name) for problem in errors(reading))
    assert not reading.policy.pools


@pytest.mark.parametrize("second", ["10.0.0.0/25", "10.0.0.128-10.0.1.1"])
def test_overlapping_pools_are_refused(second: str) -> None:
    """Of two pools that overlap one is left out."""
    text = f"""\
address-pools:
- {{name: a, protocol: bgp, addresses: [10.0.0.0/24]}}
- {{name: b, protocol: layer2, addresses: [{second}]}}
"""
    reading = refused(text)
    assert [pool.name for pool in reading.policy.pools] == ["a"]


@pytest.mark.parametrize("key", ["address-pools", "bfd-profiles"])
def test_a_name_is_given_once(key: str) -> None:
    """A second entry of one name is an error, also when it is equal."""
    rest = ", protocol: bgp, addresses: [10.0.0.0/24]" if key == "address-pools" else ""
    assert codes(refused(f"{key}:\n- {{name: a{rest}}}\n- {{name: a{rest}}}\n")) == [
        "duplicateName"
    ]


def test_bfd_profiles() -> None:
    """A profile keeps its timers, and a peer names it by its new name."""
    text = PEER % ", bfd-profile: Fast_One" + (
        "bfd-profiles:\n- {name: Fast_One, receive-interval: 50, minimum-ttl: 200, echo-mode: true}\n"
    )
    found = policy(text)
    profile = found.bfd_profiles[0]
    assert (profile.name, profile.receive_interval_ms) == ("fast-one", 50)
    assert (profile.minimum_ttl, profile.echo_mode) == (200, True)
    assert found.peers[0].bfd_profile == "fast-one"


@pytest.mark.parametrize(
    "written",
    [
        "minimum-ttl: 0",
        "minimum-ttl: 255",
        "detect-multiplier: 1",
        "receive-interval: 9",
        "transmit-interval: 60001",
        "echo-interval: 1",
        "echo-mode: 3",
    ],
)
def test_refused_bfd_profiles(written: str) -> None:
    """Timers of a profile have the limits they always had."""
    reading = refused(f"bfd-profiles:\n- {{name: a, {written}}}\n")
    assert only(reading.problems).object == "BFDProfile metallb-system/a"


@pytest.mark.parametrize(
    "text",
    [
        "peers: []\nfoo: 1\n",
        PEER % ", bfdProfile: x",
        POOL % ", colour: red",
        POOL % ", bgp-advertisements: [{med: 1}]",
        "peers: []\npeers: []\n",
        "peers: 3\n",
        "address-pools: {a: b}\n",
        "address-pools: [text]\n",
    ],
)
def test_strictness_refuses_the_whole(text: str) -> None:
    """An unknown or repeated key, or a wrong shape, refuses the whole configuration."""
    for given in (text, config_map(text)):
        reading = refused(given)
        assert reading.policy.pools == ()
        assert reading.policy.peers == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "peers:\n", "address-pools: []\n", "{}\n"])
def test_empty_configuration_is_valid(text: str) -> None:
    """A ConfigMap whose text holds nothing configures nothing, and that is no error."""
    assert codes(read_text(config_map(text))) == []


def test_several_documents_in_the_text() -> None:
    """Only the first YAML document of the text is read, as in MetalLB, and that is said."""
    text = LAYER2 + "...\n" + BGP
    scalar = text.replace("\n", "\\n")
    wrapped = (
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, "
        f'data: {{config: "{scalar}"}}}}\n'
    )
    reading = read_text(wrapped)
    assert codes(reading) == ["severalDocuments"]
    assert not reading.policy.peers


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("plain", "plain"),
        ("01-numbered", "numbered"),
        ("Capital_One", "capital-one"),
        ("a" * 70, "a" * 63),
        ("a b", "a-b"),
        ("ends-", "ends"),
        ("123", "123"),
        ("x", "x"),
    ],
)
def test_names(given: str, name: str) -> None:
    """Names become DNS labels as MetalLB's converter makes them; a change is a warning."""
    reading = read_text((POOL % "").replace("name: a,", f"name: '{given}',"))
    assert [pool.name for pool in reading.policy.pools] == [name]
    assert codes(reading) == ([] if given == name else ["renamed"])


def test_what_turns_bad_keeps_its_last_good_version() -> None:
    """A peer that turns bad, or a text that is refused, leaves in force what was."""
    good = read_text(config_map(BGP))
    bad_peer = read_text(config_map(BGP.replace("64501", "0")), previous=good)
    assert not bad_peer.valid
    assert bad_peer.policy.peers == good.policy.peers
    for text in (BGP + "unknown: 1\n", BGP + "  broken: [\n"):
        refused_text = read_text(config_map(text), previous=good)
        assert not refused_text.valid
        assert refused_text.policy.pools == good.policy.pools
        assert refused_text.policy.peers == good.policy.peers
        assert refused_text.policy.pools_faulty


def test_what_is_taken_out_is_deleted() -> None:
    """An entry that a good text no longer has is gone."""
    good = read_text(config_map(BGP))
    now = read_text(config_map(BGP.split("address-pools", maxsplit=1)[0]), previous=good)
    assert now.policy.pools == ()
    assert now.policy.peers == good.policy.peers


def test_a_password_is_never_shown() -> None:
    """A faulty password does not appear in its problem."""
    reading = refused(PEER % f", password: {'hunter2' * 40}")
    assert all("hunter2" not in str(problem) for problem in reading.problems)
