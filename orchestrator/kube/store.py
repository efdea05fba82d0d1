"""What is known to be on the server: names and versions, so that a new list shows what is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.kube.wire import Key, RawObject


class Known(NamedTuple):
    """What an object was when it was last seen."""

    uid: str
    version: str


class Store:
    """The objects of one resource by name."""

    def __init__(self) -> None:
        self._known: dict[Key, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def replace(self, objects: Iterable[RawObject]) -> tuple[list[RawObject], list[Key]]:
        """Take all there is; return what is new or changed, and the names of what is gone.

        One that was deleted and made again under its name is a changed one.
        """
        before, self._known = self._known, {}
        changed = []
        for one in objects:
            known = self._known[one.key] = Known(one.uid, one.version)
            if before.pop(one.key, None) != known:
                changed.append(one)
        return changed, list(before)

    def put(self, one: RawObject) -> bool:
        """Take an object; False when it is known just so."""
        known = Known(one.uid, one.version)
        if self._known.get(one.key) == known:
            return False
        self._known[one.key] = known
        return True

    def remove(self, key: Key) -> bool:
        """Take it that an object is gone; False when it was not known."""
        return self._known.pop(key, None) is not None
