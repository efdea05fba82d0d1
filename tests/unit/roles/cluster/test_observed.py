"""Whoever watches objects that only tell of something is called for what matters to it."""

from __future__ import annotations

import json
from collections.abc import Collection

from orchestrator.kube.actions import Changed
from orchestrator.kube.resources import SPEAKER_STATES
from orchestrator.kube.wire import Key, RawObject
from orchestrator.roles.cluster.observed import Observed


def changed(told: str, uid: str = "u") -> Changed:
    """The object n1 that tells something."""
    document = {"metadata": {"name": "n1", "uid": uid}, "status": {"told": told}}
    key = Key("x", "n1")
    return Changed((RawObject(key, uid, "1", json.dumps(document).encode()),), (), complete=False)


def calls(exist: Collection[str]) -> list[str]:
    """Whether it is called for each of several changes, by their names."""
    found: list[str] = []
    name = ""
    observed = Observed(lambda: found.append(name), exist)
    for name, change in (
        ("made", changed("a")),
        ("changed", changed("b")),
        ("replaced", changed("b", "v")),
        ("gone", Changed((), (Key("x", "n1"),), complete=False)),
    ):
        observed.take(SPEAKER_STATES, change)
        there = observed.get(SPEAKER_STATES.kind, "x", "n1")
        assert (there is None) is (name == "gone")
    return found


def test_every_change_counts() -> None:
    """By default each is told of."""
    assert calls(()) == ["made", "changed", "replaced", "gone"]


def test_what_an_object_says_does_not_count() -> None:
    """Of kinds that only exist, it is told that one came, took another's place, or went."""
    assert calls({SPEAKER_STATES.kind}) == ["made", "replaced", "gone"]
