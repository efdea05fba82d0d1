"""Watches of the model of the API server: which objects each is of, and what it has to say."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.fakes.apiserver_kinds import Collection, Object

Name = tuple[str, str]


class Change(NamedTuple):
    """One change of the history; `was` is the object before, None for a new one."""

    version: int
    collection: Collection
    name: Name
    now: Object | None
    was: Object | None


class Selection(NamedTuple):
    """Objects of one namespace (None: of all) with these fields and labels."""

    namespace: str | None = None
    fields: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}

    def holds(self, name: Name, document: Object | None) -> bool:
        """Tell whether an object is one of them."""
        if document is None or (self.namespace is not None and name[0] != self.namespace):
            return False
        labels = document["metadata"].get("labels") or {}
        if not self.labels.items() <= labels.items():
            return False
        return all(_field(document, path) == value for path, value in self.fields.items())


def _field(document: Object, path: str) -> str:
    home, _, key = path.partition(".")
    return str(document.get(home, {}).get(key, ""))


@dataclass
class FakeWatch:
    """A watch that is open, of what comes after `version`; `lines` the client has not had yet."""

    collection: Collection
    selection: Selection
    version: int
    lines: list[bytes] = field(default_factory=list)
    over: bool = False

    def say(self, kind: str, document: Object) -> None:
        """Say a line."""
        self.lines.append(json.dumps({"type": kind, "object": document}).encode() + b"\n")

    def take(self, change: Change) -> None:
        """Say a change as the client is to see it: who comes to match has come, and the reverse.

        A version that is yet to come is waited for in silence. Who no longer matches is shown as it last did.
        """
        if change.version <= self.version:
            return
        now = self.selection.holds(change.name, change.now)
        was = self.selection.holds(change.name, change.was)
        if now:
            assert change.now is not None
            self.say("MODIFIED" if was else "ADDED", change.now)
        elif was:
            self.say("DELETED", last(change))


def last(change: Change) -> Object:
    """Return an object as it was before a change, with the version of that change."""
    made = copy.deepcopy(change.was)
    assert made is not None
    made["metadata"]["resourceVersion"] = str(change.version)
    return made
