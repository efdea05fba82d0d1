"""Objects that only tell of something, as they are on the server: what is written of them is compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from orchestrator.kube.actions import Changed
from orchestrator.kube.resource import Resource
from orchestrator.kube.wire import Key

Document = Mapping[str, Any]


class Observed:
    """Whole documents by kind and name. `on_change` is called when one came, changed or went.

    Of kinds that only `exist` it is not called when one changed that was there.
    """

    def __init__(self, on_change: Callable[[], None], exist: Collection[str] = ()) -> None:
        self._on_change = on_change
        self._exist = exist
        self._by_kind: dict[str, dict[Key, Document]] = {}

    def take(self, resource: Resource, changed: Changed) -> None:
        """Take what is told of a resource."""
        documents = self._by_kind.setdefault(resource.kind, {})
        told = resource.kind not in self._exist
        for key in changed.gone:
            told |= documents.pop(key, None) is not None
        for one in changed.objects:
            # Objects in lists do not say what they are.
            document = {**msgspec.json.decode(one.text), "kind": resource.kind}
            told |= _uid(documents.get(one.key)) != _uid(document)
            documents[one.key] = document
        if told:
            self._on_change()

    def get(self, kind: str, namespace: str, name: str) -> Document | None:
        """Return one, None where there is none."""
        return self._by_kind.get(kind, {}).get(Key(namespace, name))

    def of_kind(self, kind: str) -> Iterable[Document]:
        """Return all of a kind."""
        return self._by_kind.get(kind, {}).values()

    def __iter__(self) -> Iterator[Document]:
        for documents in self._by_kind.values():
            yield from documents.values()


def _uid(document: Document | None) -> str | None:
    """Tell objects of one name apart, of which one came after the other."""
    return document["metadata"].get("uid", "") if document is not None else None
