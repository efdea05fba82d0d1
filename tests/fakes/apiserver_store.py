"""The store of the model of the API server: objects, the history of all changes, who watches them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

from tests.fakes.apiserver_kinds import Collection, Object
from tests.fakes.apiserver_watch import Change, FakeWatch, Name

Backup = tuple[int, Mapping[tuple[Collection, Name], Object]]


class Store:
    """Objects with one version for all of them, that grows with each change."""

    def __init__(self) -> None:
        self.version = 1
        self.compacted = 0
        self.history: list[Change] = []
        self.watches: list[FakeWatch] = []
        self._objects: dict[tuple[Collection, Name], Object] = {}
        self._numbers = 0

    def all(self, collection: Collection) -> dict[Name, Object]:
        """Objects of a kind by namespace and name."""
        return {name: one for (kind, name), one in self._objects.items() if kind == collection}

    def get(self, collection: Collection, name: Name) -> Object | None:
        """Return one object."""
        return self._objects.get((collection, name))

    def number(self) -> int:
        """Return a number that was never returned before."""
        self._numbers += 1
        return self._numbers

    def put(self, collection: Collection, document: Object) -> Object:
        """Make an object, or write it whole as somebody with every right."""
        name = name_of(document)
        before = self._objects.get((collection, name))
        after = copy.deepcopy(document)
        self.version += 1
        after.update(apiVersion=collection.api_version, kind=collection.kind)
        metadata = after["metadata"]
        metadata["uid"] = before["metadata"]["uid"] if before else f"uid-{self.number()}"
        metadata["resourceVersion"] = str(self.version)
        metadata.setdefault("creationTimestamp", time_of(self._numbers))
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

    def since(self, version: int, collection: Collection) -> Iterator[Change]:
        """Return what became of a kind after a version."""
        for change in self.history:
            if change.version > version and change.collection == collection:
                yield change

    def at(self, version: int, collection: Collection) -> dict[Name, Object]:
        """Return the objects of a kind as they were at a version."""
        objects = self.all(collection)
        for change in reversed(list(self.since(version, collection))):
            if change.was is None:
                objects.pop(change.name, None)
            else:
                objects[change.name] = change.was
        return objects

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

    def snapshot(self) -> Backup:
        """Return what a backup of the store holds."""
        return self.version, copy.deepcopy(self._objects)

    def restore(self, backup: Backup) -> None:
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


def name_of(document: Object) -> Name:
    """Return namespace and name of an object; the namespace is empty for one of the cluster."""
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def time_of(number: int) -> str:
    """Return a time that is later for a greater number."""
    return f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
