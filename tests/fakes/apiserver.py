"""A model of the API server: objects, one history of all changes, lists, watches, writes, compaction.

No input or output: requests go in as values, answers and lines of watches come out. It knows what
clients stumble over: versions that are too old, versions of a store that was restored, writes that
come too late, and kinds that it does not know. tests/apiserver holds it against the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.fakes.apiserver_answers import (
    Answer,
    RefusedError,
    bad,
    missing,
    not_allowed,
    refusal,
    unknown,
)
from tests.fakes.apiserver_kinds import Collection, Object
from tests.fakes.apiserver_store import Store
from tests.fakes.apiserver_watch import FakeWatch, Name, Selection
from tests.fakes.apiserver_writes import Place, create, delete, patch, replace

__all__ = ["Answer", "Collection", "FakeApiServer", "FakeWatch", "Path", "refusal"]

MERGE_PATCH = "application/merge-patch+json"
_METADATA_FIELDS = {"metadata.name", "metadata.namespace"}
_WRITES: dict[str, Callable[[Store, Place, Any], Answer]] = {
    "PUT": replace,
    "PATCH": patch,
    "DELETE": delete,
}


class Path(NamedTuple):
    """A path taken apart; what it does not say is None or empty."""

    collection: Collection
    namespace: str | None
    name: str
    subresource: str


class FakeApiServer(Store):
    """The server with its store. `collections` are the kinds it knows."""

    def __init__(self, *collections: Collection, knows_service_fields: bool = True) -> None:
        super().__init__()
        self.collections = list(collections)
        self.knows_service_fields = knows_service_fields

    def find(self, path: str) -> Path | None:
        """Take a path apart; None for an unknown kind."""
        for collection in self.collections:
            if not path.startswith(collection.root + "/"):
                continue
            parts = path.removeprefix(collection.root + "/").split("/")
            namespace = None
            if parts[0] == "namespaces" and len(parts) > 2:
                namespace, parts = parts[1], parts[2:]
            if parts[0] == collection.plural:
                rest = [*parts[1:], "", ""]
                return Path(collection, namespace, rest[0], rest[1])
        return None

    # Requests about one object

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        content_type: str = "application/json",
    ) -> Answer:
        """Answer any request but a watch."""
        found = self.find(path)
        if found is None:
            return unknown()
        try:
            if found.name:
                return self._answer_of_one(found, method, body, content_type)
            if method == "GET":
                return self.answer_list(path, query)
            return self._create(found, method, body)
        except RefusedError as error:
            return error.answer

    def _answer_of_one(self, found: Path, method: str, body: Any, content_type: str) -> Answer:
        collection, namespace, name, subresource = found
        if subresource and not (subresource == "status" and collection.status):
            raise RefusedError(unknown())
        place = Place(collection, (namespace or "", name), bool(subresource))
        if method == "GET":
            document = self.get(collection, place.name)
            return missing(collection, name) if document is None else Answer(200, document)
        if method not in _WRITES or (subresource and method == "DELETE"):
            raise RefusedError(not_allowed())
        if method == "PATCH" and content_type != MERGE_PATCH:
            message = "the model knows merge patches only"
            raise RefusedError(refusal(415, "UnsupportedMediaType", message))
        return _WRITES[method](self, place, body)

    def _create(self, found: Path, method: str, body: Any) -> Answer:
        """Make an object; in no namespace only one of the cluster."""
        collection, namespace, _, _ = found
        if method != "POST" or collection.namespaced != (namespace is not None):
            raise RefusedError(not_allowed())
        return create(self, Place(collection, (namespace or "", "")), body)

    # Lists

    def answer_list(self, path: str, query: Mapping[str, str]) -> Answer:
        """Answer a list, a page of it where `limit` asks for that."""
        found = self.find(path)
        if found is None:
            return unknown()
        collection = found.collection
        selection = self._selection(found, query)
        if isinstance(selection, Answer):
            return selection
        version, start = self.version, ""
        if token := query.get("continue"):
            version, start = int(token.partition("/")[0]), token.partition("/")[2]
            if version < self.compacted:
                return refusal(410, "Expired", "The provided continue parameter is too old")
        rows = self._rows(collection, version, selection)
        rows = [row for row in rows if _order(row[0]) > start]
        limit = int(query.get("limit", "0")) or len(rows)
        metadata: Object = {"resourceVersion": str(version)}
        if len(rows) > limit:
            metadata["continue"] = f"{version}/{_order(rows[limit - 1][0])}"
        items = [one if collection.custom else _bare(one) for _, one in rows[:limit]]
        head = {"kind": f"{collection.kind}List", "apiVersion": collection.api_version}
        return Answer(200, {**head, "metadata": metadata, "items": items})

    def _rows(
        self, collection: Collection, version: int, selection: Selection
    ) -> list[tuple[Name, Object]]:
        objects = self.at(version, collection)
        return sorted((n, o) for n, o in objects.items() if selection.holds(n, o))

    def _selection(self, found: Path, query: Mapping[str, str]) -> Selection | Answer:
        """Read which objects are wanted; refuse fields that the kind is not selected by."""
        fields = _terms(query.get("fieldSelector", ""))
        for key in fields:
            if key not in _METADATA_FIELDS and not self._selects(found.collection, key):
                return bad(f"field label not supported: {key}")
        return Selection(found.namespace, fields, _terms(query.get("labelSelector", "")))

    def _selects(self, collection: Collection, key: str) -> bool:
        known = self.knows_service_fields and collection.plural == "services"
        return known and key == "spec.type"

    # Watches

    def open_watch(self, path: str, query: Mapping[str, str]) -> FakeWatch | Answer:
        """Open a watch; what the client missed is in its lines already."""
        found = self.find(path)
        if found is None:
            return unknown()
        collection = found.collection
        selection = self._selection(found, query)
        if isinstance(selection, Answer):
            return selection
        version = int(query["resourceVersion"])
        watch = FakeWatch(collection, selection, version)
        if version < self.compacted:
            gone = refusal(410, "Expired", f"too old resource version: {version}")
            watch.say("ERROR", gone.document)
            watch.over = True
            return watch
        for change in self.since(version, collection):
            watch.take(change)
        self.watches.append(watch)
        return watch


def _bare(document: Object) -> Object:
    """Objects of built-in kinds have neither apiVersion nor kind within a list."""
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}


def _terms(selector: str) -> dict[str, str]:
    """Read a selector; the model knows equality only."""
    terms = (term.partition("=") for term in filter(None, selector.split(",")))
    return {key: value for key, _, value in terms}


def _order(name: Name) -> str:
    return "/".join(name)
