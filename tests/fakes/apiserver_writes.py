"""Writes to the model of the API server: versions that must agree, defaults, the status subresource.

Not modelled: namespaces that must exist, dry runs, field managers, what definitions validate.
"""

from __future__ import annotations

import base64
import copy
from typing import Any, NamedTuple

from tests.fakes.apiserver_answers import (
    Answer,
    RefusedError,
    bad,
    conflict,
    exists,
    invalid,
    missing,
    refusal,
    success,
)
from tests.fakes.apiserver_defaults import (
    clear_service_status,
    faults_of_event,
    faults_of_service_status,
    fill_service,
    fill_service_status,
)
from tests.fakes.apiserver_kinds import EVENTS, SECRETS, SERVICES, Collection, Object
from tests.fakes.apiserver_store import Store, name_of, time_of
from tests.fakes.apiserver_watch import Name, last
from tests.fakes.merge_patch import merge_patch

_OF_THE_SERVER = ("uid", "creationTimestamp", "deletionTimestamp", "generation")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Place(NamedTuple):
    """The object that a request is about; for one that is to be made the name may be empty."""

    collection: Collection
    name: Name
    status: bool = False


def create(store: Store, place: Place, body: Any) -> Answer:
    """Make an object, and a name for it where it has only the beginning of one."""
    document = _read(place, body)
    metadata = document["metadata"]
    if metadata.pop("resourceVersion", ""):
        message = "resourceVersion should not be set on objects to be created"
        raise RefusedError(refusal(500, "", message))
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + _suffix(store.number())
    if not metadata.get("name"):
        raise RefusedError(invalid(place.collection, "", "name or generateName is required"))
    if store.get(place.collection, name_of(document)) is not None:
        raise RefusedError(exists(place.collection, metadata["name"]))
    return _make(store, place.collection, document)


def _make(store: Store, collection: Collection, document: Object) -> Answer:
    for key in _OF_THE_SERVER:
        document["metadata"].pop(key, None)
    if collection.status:
        document.pop("status", None)
    if collection.custom:
        document["metadata"]["generation"] = 1
    _fill(collection, document, None, store.number())
    fault = faults_of_event(document) if collection.resource == EVENTS.resource else ""
    if fault:
        raise RefusedError(invalid(collection, document["metadata"]["name"], fault))
    return Answer(201, store.put(collection, document))


def replace(store: Store, place: Place, body: Any) -> Answer:
    """Write an object whole (PUT)."""
    document = _read(place, body)
    name = place.name[1]
    if document["metadata"].setdefault("name", name) != name:
        raise RefusedError(bad("the name of the object does not match the name on the URL"))
    before = store.get(place.collection, place.name)
    version = document["metadata"].get("resourceVersion", "")
    if before is None:
        if not place.collection.made_by_put:
            raise RefusedError(missing(place.collection, name))
        document["metadata"].pop("resourceVersion", None)
        return _make(store, place.collection, document)
    if not version and not place.collection.any_version:
        why = "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
        raise RefusedError(invalid(place.collection, name, why))
    if document["metadata"].get("uid", before["metadata"]["uid"]) != before["metadata"]["uid"]:
        raise RefusedError(conflict(place.collection, name))
    return _update(store, place, before, document)


def patch(store: Store, place: Place, body: Any) -> Answer:
    """Change an object by a merge patch."""
    before = store.get(place.collection, place.name)
    if before is None:
        raise RefusedError(missing(place.collection, place.name[1]))
    document = merge_patch(before, body)
    if document["metadata"].get("uid") != before["metadata"]["uid"]:
        raise RefusedError(
            invalid(place.collection, place.name[1], "metadata.uid: field is immutable")
        )
    return _update(store, place, before, document)


def _update(store: Store, place: Place, before: Object, document: Object) -> Answer:
    """Write what a PUT or a PATCH asks for; what changes nothing makes no version."""
    collection, name = place.collection, place.name[1]
    if document["metadata"].get("resourceVersion") not in (None, "", _version(before)):
        raise RefusedError(conflict(collection, name))
    after = _with_status(collection, before, document) if place.status else document
    if not place.status:
        if collection.status:
            after["status"] = copy.deepcopy(before.get("status"))
        _fill(collection, after, before, store.number())
    _keep(collection, before, after)
    fault = faults_of_service_status(after) if collection.resource == SERVICES.resource else ""
    if fault:
        raise RefusedError(invalid(collection, name, fault))
    if after == before:
        return Answer(200, before)
    if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
        store.delete(collection, place.name)
        return Answer(200, after)
    return Answer(200, store.put(collection, after))


def _with_status(collection: Collection, before: Object, document: Object) -> Object:
    """Take over only the status, and of built-in kinds also metadata: only specs are protected there."""
    after = copy.deepcopy(before)
    if not collection.custom:
        after["metadata"] = document["metadata"]
    if collection.resource == SERVICES.resource:
        fill_service(document, before, 0)
        fill_service_status(document)
    if document.get("status") is None:
        after.pop("status", None)
    else:
        after["status"] = document["status"]
    return after


def _keep(collection: Collection, before: Object, after: Object) -> None:
    """Keep what only the server writes."""
    metadata, former = after["metadata"], before["metadata"]
    for key in _OF_THE_SERVER:
        metadata.pop(key, None)
        if key in former:
            metadata[key] = former[key]
    metadata["resourceVersion"] = former["resourceVersion"]
    for key in ("annotations", "labels", "finalizers"):
        if key in metadata and not metadata[key]:
            del metadata[key]
    if after.get("status") is None:
        after.pop("status", None)
    after.update(apiVersion=collection.api_version, kind=collection.kind)
    if collection.custom and after.get("spec") != before.get("spec"):
        metadata["generation"] = former.get("generation", 1) + 1


def delete(store: Store, place: Place, body: Any) -> Answer:
    """Delete an object; one that has finalizers is only marked."""
    collection, name = place.collection, place.name[1]
    before = store.get(collection, place.name)
    if before is None:
        raise RefusedError(missing(collection, name))
    metadata = before["metadata"]
    wanted = (body or {}).get("preconditions") or {}
    if any(metadata.get(key) != value for key, value in wanted.items()):
        raise RefusedError(conflict(collection, name))
    if metadata.get("finalizers"):
        return Answer(200, _mark(store, collection, before))
    store.delete(collection, place.name)
    if collection.returns_deleted:
        return Answer(200, last(store.history[-1]))
    return success(collection, name, metadata["uid"])


def _mark(store: Store, collection: Collection, before: Object) -> Object:
    if "deletionTimestamp" in before["metadata"]:
        return before
    after = copy.deepcopy(before)
    after["metadata"]["deletionTimestamp"] = time_of(store.number())
    after["metadata"]["deletionGracePeriodSeconds"] = 0
    return store.put(collection, after)


def _read(place: Place, body: Any) -> Object:
    """Read an object that came, and put it where the path says that it is."""
    collection = place.collection
    if not isinstance(body, dict):
        raise RefusedError(
            bad(f"the object provided is unrecognized (must be of type {collection.kind})")
        )
    document: Object = copy.deepcopy(body)
    head = (document.get("apiVersion"), document.get("kind"))
    wanted = (collection.api_version, collection.kind)
    if head != wanted and (collection.custom or head != (None, None)):
        raise RefusedError(
            bad(f"the object provided is {head}, which does not match the expected {wanted}")
        )
    metadata = document.setdefault("metadata", {})
    if collection.namespaced and metadata.setdefault("namespace", place.name[0]) != place.name[0]:
        raise RefusedError(
            bad("the namespace of the provided object does not match the namespace on the URL")
        )
    return document


def _fill(collection: Collection, document: Object, before: Object | None, number: int) -> None:
    if collection.resource == SERVICES.resource:
        fill_service(document, before, number)
        document["status"] = document.get("status") or {"loadBalancer": {}}
        clear_service_status(document)
    if collection.resource == SECRETS.resource:
        plain = document.pop("stringData", {})
        coded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
        document.setdefault("type", "Opaque")
        document["data"] = {**document.get("data", {}), **coded}


def _version(document: Object) -> str:
    return str(document["metadata"]["resourceVersion"])


def _suffix(number: int) -> str:
    """Return five letters, others for each number."""
    letters = []
    for _ in range(5):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)
