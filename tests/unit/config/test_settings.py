"""Settings, and the ConfigMaps of MetalLB that say something beside them."""

from __future__ import annotations

import ipaddress

import pytest

from orchestrator.model.problem import Severity
from orchestrator.model.settings import (
    DEFAULT_EXCLUDED_INTERFACES,
    LogSettings,
    Membership,
    Settings,
    Transport,
)
from tests.unit.config.samples import codes, only, read_text, text_of

SECRET = """apiVersion: v1
kind: Secret
metadata: {name: memberlist, namespace: metallb-system}
data: {secretkey: c2VjcmV0}
"""


def config_map(name: str, key: str, *lines: str, namespace: str = "metallb-system") -> str:
    """Make a ConfigMap with one text."""
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    return text + f"data:\n  {key}: |\n" + "".join(f"    {line}\n" for line in lines)


EXCLUDE = config_map(
    "metallb-excludel2", "excludel2.yaml", "announcedInterfacesToExclude:", "- ^eth9$", "- ^lo$"
)


def test_settings_have_defaults() -> None:
    """An empty Settings object changes nothing."""
    assert read_text(text_of("Settings", "a", "{}")).policy.settings == Settings()


def test_every_field_of_settings() -> None:
    """Every field reaches the model."""
    spec = """membership:
  vrid: 7
  intervalMs: 50
  preemptDelayMs: 0
  authSecret: memberlist
  transport: unicast
  check: [192.0.2.254, 'fe80::1']
excludedInterfaces: [^a.*, ^b$]
maxDraining: 3
drainOnCordon: true
statusObjects: {bgp: true}
http: '[::1]:7472'
log: {level: debug, format: text}"""
    reading = read_text(text_of("Settings", "a", spec), SECRET)
    assert reading.problems == ()
    asked = (ipaddress.ip_address("192.0.2.254"), ipaddress.ip_address("fe80::1"))
    assert reading.policy.settings == Settings(
        membership=Membership(7, 50, 0, "memberlist", Transport.UNICAST, asked, (b"secret",)),
        excluded_interfaces=("^a.*", "^b$"),
        max_draining=3,
        drain_on_cordon=True,
        bgp_status_objects=True,
        http="[::1]:7472",
        log=LogSettings("debug", "text"),
    )


@pytest.mark.parametrize(
    "spec",
    [
        "membership: {vrid: 0}",
        "membership: {vrid: 256}",
        "membership: {intervalMs: 9}",
        "membership: {transport: carrier-pigeon}",
        "membership: {check: [gateway]}",
        "excludedInterfaces: ['(']",
        "excludedInterfaces: ['[[a]']",
        "excludedInterfaces: ['a{99999999999}']",
        "excludedInterfaces: [^a, ^a]",
        "maxDraining: 0",
        "statusObjects: {bgp: 1}",
        "http: localhost:80",
        "http: 127.0.0.1:0",
        "http: '127.0.0.1:65536'",
        "http: '::1:80'",
        "http: '[127.0.0.1]:80'",
        "http: '80'",
        "log: {level: loud}",
        "log: {format: xml}",
    ],
)
def test_settings_are_checked(spec: str) -> None:
    """What Settings cannot be is one error; nothing of them is in force, and no member speaks."""
    reading = read_text(text_of("Settings", "a", spec))
    assert only(reading.problems).severity is Severity.ERROR
    assert reading.policy.settings == Settings(membership=Membership(known=False))
    assert not reading.policy.settings.membership.may_speak


def test_the_secret_of_members() -> None:
    """A Secret that does not exist is waited for, one without the key is an error.

    Without its key no member speaks: two that do not hear each other would both claim.
    """
    text = text_of("Settings", "a", "membership: {authSecret: memberlist}")
    missing = read_text(text)
    problem = only(missing.problems)
    assert (problem.severity, problem.code) == (Severity.WAITING, "missingSecret")
    assert not missing.policy.settings.membership.may_speak
    without = read_text(text, SECRET.replace("secretkey", "key"))
    problem = only(without.problems)
    assert (problem.severity, problem.code) == (Severity.ERROR, "invalidSecret")
    assert not without.policy.settings.membership.may_speak
    assert read_text(text, SECRET).policy.settings.membership.may_speak


def test_a_key_is_changed_without_a_gap() -> None:
    """`secretkey` is sent; further keys that begin with that name are accepted too."""
    text = text_of("Settings", "a", "membership: {authSecret: memberlist}")
    secret = SECRET.replace("{secretkey: c2VjcmV0}", "{secretkey-next: bmV3, secretkey: c2VjcmV0}")
    membership = read_text(text, secret).policy.settings.membership
    assert membership.keys == (b"secret", b"new")
    assert "secret'" not in repr(membership)
    without = SECRET.replace("{secretkey:", "{secretkey-next:")
    assert read_text(text, without).policy.settings.membership.keys == ()


def test_there_is_one_settings_object() -> None:
    """The first by name is in force; a second one is an error."""
    first = text_of("Settings", "a", "maxDraining: 3")
    second = text_of("Settings", "b", "maxDraining: 4")
    reading = read_text(second, first)
    assert reading.policy.settings.max_draining == 3
    assert only(reading.problems).object == "Settings metallb-system/b"


def test_excluded_interfaces_of_metallb() -> None:
    """metallb-excludel2 replaces the list of interfaces to leave out; Settings go before it."""
    assert read_text(EXCLUDE).policy.settings.excluded_interfaces == ("^eth9$", "^lo$")
    other = text_of("Settings", "a", "maxDraining: 2")
    settings = read_text(EXCLUDE, other).policy.settings
    assert (settings.excluded_interfaces, settings.max_draining) == (("^eth9$", "^lo$"), 2)
    own = text_of("Settings", "a", "excludedInterfaces: []")
    assert read_text(own, EXCLUDE).policy.settings.excluded_interfaces == ()


def test_config_maps_of_others() -> None:
    """A ConfigMap of that name elsewhere, and any other ConfigMap, means nothing."""
    other = config_map("kube-root-ca.crt", "ca.crt", "x: [")
    reading = read_text(EXCLUDE.replace("metallb-system", "default"), other)
    assert reading.problems == ()
    assert reading.policy.settings.excluded_interfaces == DEFAULT_EXCLUDED_INTERFACES


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("announcedInterfacesToExclude: [",), "line 2"),
        (("announcedInterfacesToExclude:", "- ("), "announcedInterfacesToExclude[0]"),
        (("announcedInterfaces: [a]",), "announcedInterfaces"),
        (("- a",), "mapping"),
    ],
)
def test_faulty_excluded_interfaces(lines: tuple[str, ...], words: str) -> None:
    """What is wrong in excludel2.yaml is an error at that text; the last good list stays."""
    text = config_map("metallb-excludel2", "excludel2.yaml", *lines)
    problem = only(read_text(text).problems)
    assert (problem.severity, problem.place) == (Severity.ERROR, "test.yaml:5:19")
    assert problem.path == "data.excludel2.yaml"
    assert words in problem.message
    before = read_text(EXCLUDE)
    again = read_text(text, previous=before)
    assert again.policy.settings.excluded_interfaces == ("^eth9$", "^lo$")
    assert not again.policy.pools_faulty


@pytest.mark.parametrize(
    ("name", "words"), [("bgpextras", "FRR"), ("metallb-memberlist-config", "memberlist")]
)
def test_config_maps_that_do_not_apply(name: str, words: str) -> None:
    """MetalLB's other ConfigMaps are named as not applicable, with what to use instead."""
    reading = read_text(config_map(name, "extras", "whatever"))
    problem = only(reading.problems)
    assert (problem.severity, problem.code) == (Severity.WARNING, "notApplicable")
    assert words in problem.message
    assert problem.hint
    assert reading.valid


def test_the_key_of_memberlist_is_no_problem() -> None:
    """MetalLB's Secret `memberlist` is read without a word."""
    assert codes(read_text(SECRET)) == []
