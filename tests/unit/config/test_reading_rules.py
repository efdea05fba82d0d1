"""How values are read by the type of their field, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from orchestrator.model.problem import Severity
from tests.unit.config.samples import PEER, POOL, VIP, codes, only, read_text, text_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("true", True),
        ("True", True),
        ("yes", True),
        ("on", True),
        ("ON", True),
        ("false", False),
        ("no", False),
        ("off", False),
        ("Off", False),
    ],
)
def test_booleans(written: str, expected: bool) -> None:
    """Every YAML 1.1 boolean is one where a boolean is declared."""
    reading = read_text(text_of("IPAddressPool", "a", f"{POOL}\nautoAssign: {written}"))
    assert reading.problems == ()
    assert reading.policy.pools[0].auto_assign is expected


@pytest.mark.parametrize("written", ['"true"', "1", "sometimes", "oN", "[]", "{}"])
def test_what_is_no_boolean(written: str) -> None:
    """Quoted words, numbers and others are a wrong type where a boolean is declared."""
    problem = only(
        read_text(text_of("IPAddressPool", "a", f"{POOL}\nautoAssign: {written}")).problems
    )
    assert (problem.code, problem.path) == ("wrongType", "spec.autoAssign")


@pytest.mark.parametrize("written", ["on", "yes", "off", "no", "1:30", "64512:1", "2026-01-01"])
def test_text_that_other_readers_take_for_more(written: str) -> None:
    """`on`, base-60 numbers and dates are text where text is declared."""
    reading = read_text(text_of("VirtualIP", "a", f"pool: {written}"))
    assert reading.problems == ()
    assert reading.cluster.virtual_ips["a"].pool == written


@pytest.mark.parametrize("written", ["5", "0x10", "1e3", "1.10", ".inf", "true", "[a]", "{}"])
def test_what_is_no_text(written: str) -> None:
    """A bare number or boolean is a wrong type where text is declared, as in the API."""
    problem = only(read_text(text_of("VirtualIP", "a", f"pool: {written}")).problems)
    assert (problem.code, problem.path) == ("wrongType", "spec.pool")


@pytest.mark.parametrize("written", ["null", "~", ""])
def test_null_is_absent(written: str) -> None:
    """Null, written out or not, is the same as leaving the field out."""
    reading = read_text(text_of("VirtualIP", "a", f"{VIP}\npool: {written}\nbind: {written}"))
    assert reading.problems == ()
    assert reading.cluster.virtual_ips["a"].bind == "lo"


@pytest.mark.parametrize(
    ("written", "expected"), [("64501", 64501), ("0xfbf5", 64501), ("4294967295", 2**32 - 1)]
)
def test_integers(written: str, expected: int) -> None:
    """Whole numbers are read in decimal and hexadecimal, up to the field's limit."""
    text = PEER.replace("peerASN: 64500", f"peerASN: {written}")
    assert read_text(text_of("BGPPeer", "a", text)).policy.peers[0].peer_asn == expected


@pytest.mark.parametrize("written", ['"64501"', "64501.0", "1:30", "4294967296", "-1", "1" * 5000])
def test_what_is_no_as_number(written: str) -> None:
    """Text, fractions, base-60 and numbers beyond the limits are refused."""
    text = PEER.replace("peerASN: 64500", f"peerASN: {written}")
    problem = only(read_text(text_of("BGPPeer", "a", text)).problems)
    assert problem.path == "spec.peerASN"
    assert problem.severity is Severity.ERROR


def test_unknown_field_of_ours_has_a_hint() -> None:
    """An unknown field is an error at the key's place, with the name that may be meant."""
    text = PEER.replace("peerAddress", "peeraddres") + "\npeerAddress: 192.0.2.9"
    problem = only(read_text(text_of("BGPPeer", "a", text)).problems)
    assert problem.place == "test.yaml:8:3"
    assert problem.hint == "did you mean peerAddress?"


def test_unknown_field_at_the_top() -> None:
    """A misspelt `spec` is named, besides the missing one."""
    text = text_of("IPAddressPool", "a", POOL).replace("spec:", "sepc:")
    reading = read_text(text)
    assert set(codes(reading)) == {"unknownField", "missingField"}


def test_unknown_fields_of_kubernetes_are_ignored() -> None:
    """Fields of v1 kinds that we do not use are no concern of ours."""
    text = text_of("Node", "n1", "podCIDR: 10.0.0.0/24\ntaints: [{key: a}]", managedFields="[1]")
    assert read_text(text).problems == ()


def test_every_problem_is_reported() -> None:
    """All faults of all objects are reported in the order of the text."""
    reading = read_text(
        text_of("BGPPeer", "a", "myASN: x\npeerASN: -1\nfoo: 1"),
        text_of("IPAddressPool", "b", "addresses: [1.2.3.4, 10.0.0.0/24, '::/129']"),
    )
    lines = [int(problem.place.split(":")[1]) for problem in reading.problems]
    assert len(lines) == 5
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    "text",
    [
        text_of("BGPPeer", "a", PEER + "\npassword: 12345678"),
        text_of("BGPPeer", "a", PEER + f"\npassword: '12345678{'x' * 80}'"),
        text_of("BGPPeer", "a", PEER + "\npassword: [12345678]"),
    ],
)
def test_no_message_shows_a_password(text: str) -> None:
    """A faulty password is reported without its value."""
    reading = read_text(text)
    assert only(reading.problems).path == "spec.password"
    assert "12345678" not in str(reading.problems)
    assert "12345678" not in repr(reading)


def test_password_is_in_no_representation() -> None:
    """Neither a good password nor the text it came from shows in a representation."""
    reading = read_text(text_of("BGPPeer", "a", PEER + "\npassword: s3cret-s3cret"))
    assert (reading.policy.peers[0].password or "").startswith("s3cret")
    assert "s3cret" not in repr(reading)


@pytest.mark.parametrize(
    "name", ["Upper", "under_score", "-a", "a" * 254, "a/b", "''", "5", "[a]", "{}"]
)
def test_names_are_checked(name: str) -> None:
    """A name that Kubernetes would not take is an error."""
    reading = read_text(text_of("VirtualIP", name, VIP))
    assert not reading.valid
    assert not reading.cluster.virtual_ips


def test_object_without_metadata() -> None:
    """An object without a name is an error that says so."""
    text = "apiVersion: metallb.io/v1beta1\nkind: Community\n"
    assert "metadata.name is missing" in only(read_text(text).problems).message


@pytest.mark.parametrize(
    ("version", "kind", "severity"),
    [
        ("metallb.io/v1beta2", "L2Advertisement", Severity.WARNING),
        ("metallb.io/v1beta3", "BGPPeer", Severity.WARNING),
        ("metallb.io/v1beta1", "ServiceL2Status", Severity.WARNING),
        ("orchestrator.io/v1alpha1", "SpeakerState", Severity.WARNING),
        ("metallb.io/v1beta1", "IPAdressPool", Severity.WARNING),
        ("apps/v1", "Deployment", None),
        ("example.org/v1", "BGPPeer", None),
        ("v1", "Pod", None),
    ],
)
def test_kinds_that_are_not_read(version: str, kind: str, severity: Severity | None) -> None:
    """What is not read of our groups is a warning; what is nobody's business is skipped."""
    reading = read_text(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    assert [problem.severity for problem in reading.problems] == ([severity] if severity else [])


def test_misspelt_kind_has_a_hint() -> None:
    """A kind that does not exist is reported with the one that may be meant."""
    text = "apiVersion: metallb.io/v1beta1\nkind: IPAdressPool\nmetadata: {name: a}\n"
    assert only(read_text(text).problems).hint == "did you mean IPAddressPool?"


def test_control_characters_do_not_reach_the_terminal() -> None:
    """Values are shown with control characters made visible."""
    reading = read_text(text_of("IPAddressPool", "a", 'addresses: ["\\e[31m"]'))
    assert "\x1b" not in str(reading.problems[0])


def test_a_broken_rule_is_told_beside_a_faulty_field() -> None:
    """A faulty field hides no rule about other fields, and breaks none that is about itself."""
    spec = "myASN: 64500\npeerASN: 64500\npeerPort: 0\nholdTime: 1s"
    paths = [problem.path for problem in read_text(text_of("BGPPeer", "a", spec)).problems]
    assert sorted(paths) == ["spec", "spec.holdTime", "spec.peerPort"]
    spec = "myASN: 64500\npeerASN: 64500\npeerAddress: x\npasword: y"
    paths = [problem.path for problem in read_text(text_of("BGPPeer", "a", spec)).problems]
    assert sorted(paths) == ["spec.pasword", "spec.peerAddress"]
