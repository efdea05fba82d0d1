"""What stays in force when an input turns bad, and what does not (DESIGN 4)."""

from __future__ import annotations

from orchestrator.config.reading import Reading
from orchestrator.model.cluster import ServiceKey
from orchestrator.model.problem import Severity
from tests.unit.config.samples import (
    PEER,
    VIP,
    codes,
    joined,
    read_files,
    read_text,
    text_of,
)


def pool(name: str, addresses: str) -> str:
    """Make a pool."""
    return text_of("IPAddressPool", name, f"addresses: [{addresses}]")


def ranges(reading: Reading) -> dict[str, str]:
    """First address of each pool in force."""
    return {found.name: str(found.ranges[0].first) for found in reading.policy.pools}


def test_faulty_object_keeps_its_last_good_version() -> None:
    """An object that turns bad stays as it was, with an error; others change."""
    good = read_text(pool("a", "10.0.0.0/24"), pool("b", "10.1.0.0/24"))
    bad = read_text(pool("a", "10.0.0.0/240"), pool("b", "10.2.0.0/24"), previous=good)
    assert ranges(bad) == {"a": "10.0.0.0", "b": "10.2.0.0"}
    assert not bad.valid
    assert bad.policy.pools_faulty
    again = read_text(pool("a", "x"), previous=bad)
    assert ranges(again) == {"a": "10.0.0.0"}
    mended = read_text(pool("a", "10.9.0.0/24"), previous=again)
    assert ranges(mended) == {"a": "10.9.0.0"}
    assert not mended.policy.pools_faulty


def test_faulty_object_without_a_former_version_is_left_out() -> None:
    """What never was good is not in force."""
    assert ranges(read_text(pool("a", "x"), previous=Reading())) == {}


def test_absent_object_is_deleted() -> None:
    """What a well-read file no longer has is gone."""
    good = read_text(pool("a", "10.0.0.0/24"), pool("b", "10.1.0.0/24"))
    assert ranges(read_text(pool("b", "10.1.0.0/24"), previous=good)) == {"b": "10.1.0.0"}


def test_absent_file_is_deleted() -> None:
    """What a file held that is not given any more is gone."""
    good = read_files({"a.yaml": pool("a", "10.0.0.0/24"), "b.yaml": pool("b", "10.1.0.0/24")})
    assert ranges(read_files({"b.yaml": pool("b", "10.1.0.0/24")}, good)) == {"b": "10.1.0.0"}


def test_unparsable_file_keeps_all_it_held() -> None:
    """While a file is not YAML, all its objects stay; those of other files change."""
    good = read_files({"a.yaml": pool("a", "10.0.0.0/24"), "b.yaml": pool("b", "10.1.0.0/24")})
    bad = read_files({"a.yaml": "kind: [", "b.yaml": pool("b", "10.2.0.0/24")}, good)
    assert ranges(bad) == {"a": "10.0.0.0", "b": "10.2.0.0"}
    assert bad.policy.pools_faulty
    assert codes(bad) == ["lastGoodStays", "unreadable"]
    assert ranges(read_files({"a.yaml": "kind: ["}, bad)) == {"a": "10.0.0.0"}


def test_file_cut_in_a_document_keeps_the_rest() -> None:
    """A half-written file changes nothing: what follows the cut stays."""
    texts = [pool("a", "10.0.0.0/24"), pool("b", "10.1.0.0/24"), text_of("VirtualIP", "v", VIP)]
    whole = joined(*texts)
    good = read_files({"x.yaml": whole})
    cut = whole[: whole.index("10.1.0.0") + 3]
    reading = read_files({"x.yaml": cut}, good)
    assert ranges(reading) == {"a": "10.0.0.0", "b": "10.1.0.0"}
    assert list(reading.cluster.virtual_ips) == ["v"]
    assert not reading.valid


def test_object_without_a_name_keeps_what_its_file_held() -> None:
    """When it cannot be told which object is faulty, none of its file's is deleted."""
    good = read_text(pool("a", "10.0.0.0/24"))
    nameless = pool("a", "10.0.0.0/24").replace("name: a", "nam: a")
    assert ranges(read_text(nameless, previous=good)) == {"a": "10.0.0.0"}


def test_emptied_file_changes_nothing() -> None:
    """A file without a single word is taken for half written; a comment says it is meant."""
    good = read_text(pool("a", "10.0.0.0/24"))
    emptied = read_text("", previous=good)
    assert ranges(emptied) == {"a": "10.0.0.0"}
    assert [problem.severity for problem in emptied.problems] == [Severity.WARNING]
    assert ranges(read_text("# nothing any more\n", previous=emptied)) == {}
    assert read_text("").problems == ()


def test_unread_file_or_directory_keeps_what_it_held() -> None:
    """What came from a path that could not be had stays, and pools may be missing."""
    files = {"d/a.yaml": pool("a", "10.0.0.0/24"), "e.yaml": pool("b", "10.1.0.0/24")}
    good = read_files(files)
    reading = read_text(unread=["d", "e.yaml"], previous=good)
    assert ranges(reading) == {"a": "10.0.0.0", "b": "10.1.0.0"}
    assert reading.policy.pools_faulty
    assert ranges(read_text(unread=["other"], previous=good)) == {}


def test_secret_that_goes_leaves_the_session() -> None:
    """A peer whose Secret disappears, or turns bad, keeps its session and password."""
    peer = text_of("BGPPeer", "r1", PEER + "\npasswordSecret: {name: s}")
    secret = text_of("Secret", "s", namespace="metallb-system") + (
        "type: kubernetes.io/basic-auth\nstringData: {password: hunter2}\n"
    )
    good = read_text(peer, secret)
    for texts in ((peer,), (peer, secret.replace("basic-auth", "tls"))):
        reading = read_text(*texts, previous=good)
        assert reading.policy.peers == good.policy.peers
        assert codes(reading) in (["missingSecret"], ["invalidSecret"])


def test_alias_that_goes_leaves_the_advertisement() -> None:
    """An advertisement whose alias disappears stays as it was."""
    names = text_of("Community", "c", "communities: [{name: web, value: '1:2'}]")
    advertisement = text_of("BGPAdvertisement", "a", "communities: [web]")
    good = read_text(names, advertisement)
    reading = read_text(advertisement, previous=good)
    assert reading.policy.bgp_advertisements == good.policy.bgp_advertisements
    assert codes(reading) == ["unknownCommunity"]


def test_pool_that_turns_to_overlap_keeps_its_former_ranges() -> None:
    """A pool changed so that it overlaps an elder one goes on with the ranges it had."""
    good = read_text(pool("a", "10.0.0.0/24"), pool("b", "10.1.0.0/24"))
    reading = read_text(pool("a", "10.0.0.0/24"), pool("b", "10.0.0.0/16"), previous=good)
    assert ranges(reading) == {"a": "10.0.0.0", "b": "10.1.0.0"}


def test_former_version_that_clashes_is_left_out() -> None:
    """A last good version that overlaps what an elder pool has become is not in force."""
    good = read_text(pool("a", "10.0.0.0/24"), pool("b", "10.1.0.0/24"))
    reading = read_text(pool("a", "10.1.0.0/16"), pool("b", "x"), previous=good)
    assert list(ranges(reading)) == ["a"]


def test_faulty_service_stays() -> None:
    """Services, nodes and endpoints have last good versions too."""
    good = read_text(text_of("Service", "web", "type: LoadBalancer"))
    bad = read_text(text_of("Service", "web", "type: []"), previous=good)
    key = ServiceKey("default", "web")
    assert bad.cluster.services[key] is good.cluster.services[key]
    assert codes(bad) == ["wrongType"]


def test_error_elsewhere_does_not_freeze_pools() -> None:
    """Only errors on pools, or unreadable text, mean that pools may be missing."""
    reading = read_text(pool("a", "10.0.0.0/24"), text_of("BGPPeer", "r", "{}"))
    assert not reading.valid
    assert not reading.policy.pools_faulty


def test_what_did_not_change_is_the_same_object() -> None:
    """An unchanged document gives the very same values, so that plans can be remembered by them."""
    texts = [
        pool("a", "10.0.0.0/24"),
        text_of("BGPPeer", "r1", PEER),
        text_of("BGPAdvertisement", "adv"),
        text_of("VirtualIP", "v", VIP),
        text_of("Service", "web", "type: LoadBalancer"),
        text_of("Node", "n1"),
    ]
    before = read_text(*texts)
    after = read_text("# a comment moves all lines\n" + texts[0], *texts[1:], previous=before)
    assert after == before
    assert after.policy.pools[0] is before.policy.pools[0]
    assert after.policy.peers[0] is before.policy.peers[0]
    assert after.policy.bgp_advertisements[0] is before.policy.bgp_advertisements[0]
    assert after.cluster.virtual_ips["v"] is before.cluster.virtual_ips["v"]
    for key, value in before.cluster.services.items():
        assert after.cluster.services[key] is value


def test_moved_document_reports_its_new_place() -> None:
    """A faulty document that is remembered has its problems at its present place."""
    faulty = pool("a", "x")
    before = read_text(faulty)
    after = read_text(pool("b", "10.0.0.0/24"), faulty, previous=before)
    assert before.problems[0].place == "test.yaml:6:15"
    assert after.problems[0].place == "test.yaml:13:15"
