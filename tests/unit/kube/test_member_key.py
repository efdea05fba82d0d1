"""The Secret with the key of members: when it is missing, and what is made."""

from __future__ import annotations

import base64
import json
from typing import Any

from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.live import LiveObjects
from orchestrator.config.reading import Reading
from orchestrator.kube.member_key import IN_A_CLUSTER, KEY_BYTES, member_key_write
from orchestrator.model.problem import Severity
from orchestrator.roles.controller.member_key import is_missing

HOME = "metallb-system"


def reading(*objects: tuple[str, dict[str, Any]]) -> Reading:
    """What is in force in a cluster with Settings and Secrets."""
    live = LiveObjects(HOME, IN_A_CLUSTER)
    for name, body in objects:
        group, version = ("", "v1") if name == "Secret" else ("orchestrator.io", "v1alpha1")
        kind = kind_of(group, version, name)
        assert kind is not None
        api_version = f"{group}/{version}".lstrip("/")
        head = {"apiVersion": api_version, "kind": name}
        live.change(kind, api_version, [json.dumps({**head, **body}).encode()], [])
    return live.read()


def settings(**membership: Any) -> tuple[str, dict[str, Any]]:
    """Settings of members."""
    metadata = {"name": "all", "namespace": HOME}
    return "Settings", {"metadata": metadata, "spec": {"membership": membership}}


def made(key: bytes = b"word") -> tuple[str, dict[str, Any]]:
    """The Secret as the server gives it back."""
    body = member_key_write(HOME, key).body
    assert body is not None
    return "Secret", dict(body)


def test_members_have_a_key_without_being_told() -> None:
    """In a cluster members wait for the Secret, which is told, and speak once it is there."""
    before = reading()
    assert is_missing(before, HOME)
    assert not before.policy.settings.membership.may_speak
    (problem,) = before.problems
    assert (problem.severity, problem.object) == (Severity.WAITING, f"Secret {HOME}/memberlist")
    after = reading(made())
    assert not is_missing(after, HOME)
    assert after.policy.settings.membership.keys == (b"word",)
    assert after.problems == ()


def test_settings_leave_the_key_as_it_is() -> None:
    """Settings that say nothing of the key leave the default; an empty name is no key at all."""
    assert reading(settings(vrid=7), made()).policy.settings.membership.keys == (b"word",)
    assert is_missing(reading(settings(vrid=7)), HOME)
    none = reading(settings(authSecret=""))
    assert none.policy.settings.membership.may_speak
    assert none.policy.settings.membership.auth_secret is None
    assert not is_missing(none, HOME)
    assert none.problems == ()


def test_another_secret_is_not_made() -> None:
    """Who names another Secret makes it: the problem is told on the Settings."""
    other = reading(settings(authSecret="mine"))
    assert not is_missing(other, HOME)
    (problem,) = other.problems
    assert problem.object == f"Settings {HOME}/all"


def test_a_secret_without_its_key_is_left_alone() -> None:
    """A Secret of that name that somebody made is never written over; that its key is missing is told."""
    empty = ("Secret", {"metadata": {"name": "memberlist", "namespace": HOME}})
    found = reading(empty)
    assert not is_missing(found, HOME)
    assert [one.code for one in found.problems] == ["missingSecret"]


def test_the_body_is_as_metallbs() -> None:
    """The key is under `secretkey`, in base64, of the length MetalLB gives it."""
    body = member_key_write(HOME, bytes(KEY_BYTES)).body
    assert body is not None
    assert base64.b64decode(body["data"]["secretkey"]) == bytes(128)
    assert body["metadata"] == {"name": "memberlist", "namespace": HOME}
