"""One client of an API server that notes what of the answers clients of ours look at."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adapters.kube.access import Access
from orchestrator.kube.writes import MERGE_PATCH
from tests.fakes.apiserver_kinds import Collection, Object

Query = list[tuple[str, str]]
WAIT_S = 20.0
_UNSEEN_METADATA = ("managedFields", "deletionGracePeriodSeconds")
_UNSEEN_SPEC = ("healthCheckNodePort",)
_UNSEEN_EVENT = ("eventTime", "reportingComponent", "reportingInstance")


@dataclass
class Play:
    """Asks one server, and notes what of its answers a client of ours looks at.

    `forget` lets the server forget all that was before this moment.
    """

    access: Access
    home: str
    forget: Callable[[], None]
    notes: list[tuple[str, Any]] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    uids: list[str] = field(default_factory=list)

    def path(self, collection: Collection, name: str = "", below: str = "") -> str:
        """Where the objects of a kind, or one of them, are in the namespace of the play."""
        where = f"{collection.root}/namespaces/{self.home}/{collection.plural}"
        return "/".join(filter(None, (where, name, below)))

    async def ask(
        self, status: int, method: str, path: str, body: Any = None, query: Query | None = None
    ) -> Any:
        """Send a request that has to be answered with this status; returns the document."""
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        answer = await self.access.request(method, path, body, query=query or [], content_type=kind)
        assert answer.status == status, (method, path, body, answer)
        text = answer.body.decode()
        document = json.loads(text) if text.startswith("{") else {}
        # An unknown group is answered with a page for people.
        seen = self._essence(document) if status != 404 else 404
        self.notes.append((f"{method} {path}", seen))
        return document

    async def patch(self, status: int, path: str, body: Any) -> Any:
        """Send a merge patch."""
        return await self.ask(status, "PATCH", path, body)

    async def watch(self, path: str, version: str, lines: int, query: Query | None = None) -> None:
        """Watch from a version until so many lines came; 0: until the server ends it."""
        asked: Query = [("watch", "1"), ("resourceVersion", version)]
        asked += [("timeoutSeconds", str(WAIT_S if lines else 1).partition(".")[0]), *(query or [])]
        told: list[Any] = []
        async with (
            asyncio.timeout(2 * WAIT_S),
            self.access.exchange("GET", path, query=asked) as answer,
        ):
            assert answer.status == 200
            async for line in answer.content:
                event = json.loads(line)
                told.append((event["type"], self._essence(event["object"])))
                if len(told) == lines:
                    break
        assert len(told) == lines, told
        self.notes.append((f"WATCH {path}", told))

    def _essence(self, document: Object) -> Any:
        """Take out of a document what a client looks at, alike for every server."""
        if document.get("kind") == "Status":
            return {key: document.get(key) or "" for key in ("status", "reason", "code")}
        if "items" in document:
            head = {"more": bool(document["metadata"].get("continue")), "kind": document["kind"]}
            return {**head, "items": [self._essence(one) for one in document["items"]]}
        made: Object = json.loads(json.dumps(document))
        self._metadata(made["metadata"])
        _forget(made, _UNSEEN_EVENT)
        _forget(made.get("spec", {}), _UNSEEN_SPEC)
        for port in made.get("spec", {}).get("ports", ()):
            port.pop("nodePort", None)
        if "clusterIP" in made.get("spec", {}):
            made["spec"].update(clusterIP="one", clusterIPs=len(made["spec"]["clusterIPs"]))
        return made

    def _metadata(self, metadata: Object) -> None:
        _forget(metadata, _UNSEEN_METADATA)
        self.versions.append(int(metadata["resourceVersion"]))
        if metadata["uid"] not in self.uids:
            self.uids.append(metadata["uid"])
        metadata["uid"] = self.uids.index(metadata["uid"])
        for key in ("creationTimestamp", "deletionTimestamp"):
            if key in metadata:
                assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", metadata[key])
                metadata[key] = "then"
        begin = metadata.get("generateName")
        if begin:
            assert re.fullmatch(re.escape(begin) + "[a-z0-9]{5}", metadata["name"])
            metadata["name"] = "made"

    def seen(self) -> list[tuple[str, Any]]:
        """Return the notes, with versions as their place among all that were seen."""
        ranks = {str(v): n for n, v in enumerate(sorted(set(self.versions)))}
        return [(step, _ranked(note, ranks)) for step, note in self.notes]


def _forget(document: Object, keys: tuple[str, ...]) -> None:
    for key in keys:
        document.pop(key, None)


def _ranked(note: Any, ranks: dict[str, int]) -> Any:
    if isinstance(note, dict):
        return {
            key: ranks[value] if key == "resourceVersion" else _ranked(value, ranks)
            for key, value in note.items()
        }
    if isinstance(note, list | tuple):
        return [_ranked(one, ranks) for one in note]
    return note


def version_of(document: Object) -> str:
    """Return the version of an object or a list."""
    return str(document["metadata"]["resourceVersion"])
