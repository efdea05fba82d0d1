"""The stream of a watch: each line is a change, a bookmark, or the server's word that it ends."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from orchestrator.kube.actions import Changed
from orchestrator.kube.lines import Lines, TooLongError
from orchestrator.kube.store import Store
from orchestrator.kube.wire import (
    Key,
    RawObject,
    WireError,
    decode_bookmark,
    decode_event,
    decode_object,
    decode_refusal,
)


class End(Enum):
    """How a watch ended that did not just end."""

    GONE = "gone"
    REFUSED = "refused"
    GARBLED = "garbled"


class Ending(NamedTuple):
    """Why a watch is of no use any more, in words for an operator."""

    end: End
    message: str


class WatchStream:
    """Takes what a watch says into `store`; `version` is where another one would go on.

    After `ending` is set nothing more is taken.
    """

    def __init__(self, store: Store, version: str) -> None:
        self.version = version
        self.ending: Ending | None = None
        self._store = store
        self._lines = Lines()
        self._last: dict[Key, RawObject | None] = {}

    def feed(self, data: bytes) -> Changed | None:
        """Take a piece; return the changes in it, of several of one object the last."""
        try:
            for line in self._lines.feed(data):
                if self.ending is None:
                    self._take(line)
        except TooLongError as error:
            self.ending = Ending(End.GARBLED, str(error))
        except WireError as error:
            self.ending = Ending(End.GARBLED, f"a line of the watch makes no sense: {error}")
        return self._told()

    def _take(self, line: bytes) -> None:
        event = decode_event(line)
        if event.type == "BOOKMARK":
            self.version = decode_bookmark(event.text) or self.version
        elif event.type == "ERROR":
            self._end(event.text)
        elif event.type in ("ADDED", "MODIFIED"):
            one = decode_object(event.text)
            if self._store.put(one):
                self._last[one.key] = one
            self.version = one.version or self.version
        elif event.type == "DELETED":
            one = decode_object(event.text)
            if self._store.remove(one.key):
                self._last[one.key] = None
            self.version = one.version or self.version

    def _end(self, text: bytes) -> None:
        refusal = decode_refusal(text)
        message = refusal.message or refusal.reason or f"code {refusal.code}"
        self.ending = Ending(End.GONE if refusal.code == 410 else End.REFUSED, message)

    def _told(self) -> Changed | None:
        if not self._last:
            return None
        last, self._last = self._last, {}
        objects = tuple(one for one in last.values() if one is not None)
        gone = tuple(key for key, one in last.items() if one is None)
        return Changed(objects, gone, complete=False)
