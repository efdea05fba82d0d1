"""A model of the API server: objects, one history of all changes, lists, watches, compaction.

No input or output: requests go in as values, answers and lines of watches come out. It knows what
clients stumble over: versions that are too old, versions of a store that was restored, and kinds
that it does not know. tests/apiserver holds it against the real one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Object = dict[str, Any]
Name = tuple[str, str]


class Collection(NamedTuple):
    """A resource by group, version and plural."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def root(self) -> str:
        """Path of all of its objects."""
        base = f"/apis/{self.group}" if self.group else "/api"
        return f"{base}/{self.version}"

    @property
    def api_version(self) -> str:
        """What its objects have as apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Change(NamedTuple):
    """One change of the history; `was` is the object before, None for a new one."""

    version: int
    collection: Collection
    name: Name
    now: Object | None
    was: Object | None


class Answer(NamedTuple):
    """Status and document of an answer."""

    status: int
    document: Object


def refusal(status: int, reason: str, message: str) -> Answer:
    """Make a `Status` as the server does."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }
    return Answer(status, document)


@dataclass
class FakeWatch:
    """A watch that is open: `lines` are those that the client has not had yet."""

    collection: Collection
    namespace: str | None
    load_balancers: bool
    lines: list[bytes] = field(default_factory=list)
    over: bool = False

    def say(self, kind: str, document: Object) -> None:
        """Say a line."""
        self.lines.append(json.dumps({"type": kind, "object": document}).encode() + b"\n")

    def matches(self, name: Name, document: Object | None) -> bool:
        """Tell whether an object is one of those that are watched."""
        if document is None or (self.namespace is not None and name[0] != self.namespace):
            return False
        return not self.load_balancers or _is_load_balancer(document)

    def take(self, change: Change) -> None:
        """Say a change as the client is to see it: who comes to match has come, and the reverse."""
        now, was = self.matches(change.name, change.now), self.matches(change.name, change.was)
        if now:
            assert change.now is not None
            self.say("MODIFIED" if was else "ADDED", change.now)
        elif was:
            assert change.was is not None
            last = copy.deepcopy(change.now or change.was)
            last["metadata"]["resourceVersion"] = str(change.version)
            self.say("DELETED", last)


def _is_load_balancer(document: Object) -> bool:
    return bool(document.get("spec", {}).get("type") == "LoadBalancer")


class FakeApiServer:
    """The store with its history. `collections` are the kinds it knows."""

    def __init__(self, *collections: Collection, knows_service_fields: bool = True) -> None:
        self.collections = list(collections)
        self.knows_service_fields = knows_service_fields
        self.version = 1
        self.compacted = 0
        self.history: list[Change] = []
        self.watches: list[FakeWatch] = []
        self._objects: dict[tuple[Collection, Name], Object] = {}
        self._uids = 0

    # What is in it

    def all(self, collection: Collection) -> dict[Name, Object]:
        """Objects of a kind by namespace and name."""
        return {name: one for (kind, name), one in self._objects.items() if kind == collection}

    def put(self, collection: Collection, document: Object) -> Object:
        """Make an object, or write it whole as somebody with every right."""
        name = _name_of(document)
        before = self._objects.get((collection, name))
        after = copy.deepcopy(document)
        self.version += 1
        if before is None:
            self._uids += 1
        after.update(apiVersion=collection.api_version, kind=collection.kind)
        after["metadata"]["uid"] = before["metadata"]["uid"] if before else f"uid-{self._uids}"
        after["metadata"]["resourceVersion"] = str(self.version)
        after["metadata"].setdefault("creationTimestamp", _time(self._uids))
        self._objects[collection, name] = after
        self._tell(Change(self.version, collection, name, after, before))
        return after

    def delete(self, collection: Collection, name: Name) -> bool:
        """Delete an object; False when there is none."""
        before = self._objects.pop((collection, name), None)
        if before is None:
            return False
        self.version += 1
        self._tell(Change(self.version, collection, name, None, before))
        return True

    def _tell(self, change: Change) -> None:
        self.history.append(change)
        for watch in self.watches:
            if watch.collection == change.collection and not watch.over:
                watch.take(change)

    # What happens to it

    def compact(self) -> None:
        """Forget the history: who is not at the newest version must list again."""
        self.compacted = self.version
        self.history.clear()

    def bookmark(self) -> None:
        """Tell every watcher which version there is."""
        for watch in self.watches:
            if not watch.over:
                kind = watch.collection
                metadata = {"resourceVersion": str(self.version), "creationTimestamp": None}
                document = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
                watch.say("BOOKMARK", document)

    def snapshot(self) -> tuple[int, dict[tuple[Collection, Name], Object]]:
        """Return what a backup of the store holds."""
        return self.version, copy.deepcopy(self._objects)

    def restore(self, backup: tuple[int, Mapping[tuple[Collection, Name], Object]]) -> None:
        """Go back to a backup: every watch is cut, and what came after it never was."""
        self.version = backup[0]
        self._objects = copy.deepcopy(dict(backup[1]))
        self.compacted = self.version
        self.history.clear()
        self.cut()

    def cut(self) -> None:
        """End all watches without a word."""
        for watch in self.watches:
            watch.over = True
        self.watches.clear()

    # Requests

    def find(self, path: str) -> tuple[Collection, str | None, str, str] | None:
        """Take a path apart: collection, namespace, name, subresource; None for an unknown kind."""
        for collection in self.collections:
            if not path.startswith(collection.root + "/"):
                continue
            parts = path.removeprefix(collection.root + "/").split("/")
            namespace = None
            if parts[0] == "namespaces" and len(parts) > 2:
                namespace, parts = parts[1], parts[2:]
            if parts[0] == collection.plural:
                rest = [*parts[1:], "", ""]
                return collection, namespace, rest[0], rest[1]
        return None

    def answer_list(self, path: str, query: Mapping[str, str]) -> Answer:
        """Answer a list, a page of it where `limit` asks for that."""
        found = self.find(path)
        if found is None:
            return refusal(404, "NotFound", "the server could not find the requested resource")
        collection, namespace, _, _ = found
        if query.get("fieldSelector") and not self._knows(collection):
            return refusal(400, "BadRequest", "field label not supported: spec.type")
        version, start = self.version, ""
        if token := query.get("continue"):
            version, start = int(token.partition("/")[0]), token.partition("/")[2]
            if version < self.compacted:
                return refusal(410, "Expired", "The provided continue parameter is too old")
        rows = self._rows(collection, namespace, version, bool(query.get("fieldSelector")))
        rows = [row for row in rows if _order(row[0]) > start]
        limit = int(query.get("limit", "0")) or len(rows)
        metadata: Object = {"resourceVersion": str(version)}
        if len(rows) > limit:
            metadata["continue"] = f"{version}/{_order(rows[limit - 1][0])}"
        items = [_bare(one) for _, one in rows[:limit]]
        kind = f"{collection.kind}List"
        head = {"kind": kind, "apiVersion": collection.api_version}
        return Answer(200, {**head, "metadata": metadata, "items": items})

    def _rows(
        self, collection: Collection, namespace: str | None, version: int, load_balancers: bool
    ) -> list[tuple[Name, Object]]:
        objects = self.all(collection)
        for change in reversed(self.history):
            if change.version <= version:
                break
            if change.collection == collection:
                if change.was is None:
                    objects.pop(change.name, None)
                else:
                    objects[change.name] = change.was
        watch = FakeWatch(collection, namespace, load_balancers)
        return sorted((n, o) for n, o in objects.items() if watch.matches(n, o))

    def open_watch(self, path: str, query: Mapping[str, str]) -> FakeWatch | Answer:
        """Open a watch; what the client missed is in its lines already."""
        found = self.find(path)
        if found is None:
            return refusal(404, "NotFound", "the server could not find the requested resource")
        collection, namespace, _, _ = found
        selects = bool(query.get("fieldSelector"))
        if selects and not self._knows(collection):
            return refusal(400, "BadRequest", "field label not supported: spec.type")
        version = int(query.get("resourceVersion") or 0)
        watch = FakeWatch(collection, namespace, selects)
        if version < self.compacted:
            gone = refusal(410, "Expired", f"too old resource version: {version}")
            watch.say("ERROR", gone.document)
            watch.over = True
            return watch
        for change in self._after(version, collection):
            watch.take(change)
        self.watches.append(watch)
        return watch

    def _after(self, version: int, collection: Collection) -> Iterator[Change]:
        for change in self.history:
            if change.version > version and change.collection == collection:
                yield change

    def _knows(self, collection: Collection) -> bool:
        return self.knows_service_fields and collection.plural == "services"


def _bare(document: Object) -> Object:
    """Objects of built-in kinds have neither apiVersion nor kind within a list."""
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}


def _name_of(document: Object) -> Name:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _order(name: Name) -> str:
    return "/".join(name)


def _time(number: int) -> str:
    return f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
