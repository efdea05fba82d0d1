"""Answers of the model of the API server: objects, and every refusal that clients look at."""

from __future__ import annotations

from typing import NamedTuple

from tests.fakes.apiserver_kinds import Collection, Object


class Answer(NamedTuple):
    """Status and document of an answer."""

    status: int
    document: Object


class RefusedError(Exception):
    """A request that is refused, with the answer to it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.document["message"])
        self.answer = answer


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


def success(collection: Collection, name: str, uid: str) -> Answer:
    """Make a `Status` that says that an object is gone."""
    details = {"name": name, "group": collection.group, "kind": collection.plural, "uid": uid}
    head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return Answer(200, {**head, "details": details})


def unknown() -> Answer:
    """Refuse a path at which there is nothing."""
    return refusal(404, "NotFound", "the server could not find the requested resource")


def missing(collection: Collection, name: str) -> Answer:
    """Refuse what is about an object that is not there."""
    return refusal(404, "NotFound", f'{collection.resource} "{name}" not found')


def exists(collection: Collection, name: str) -> Answer:
    """Refuse to make what is there."""
    return refusal(409, "AlreadyExists", f'{collection.resource} "{name}" already exists')


def conflict(collection: Collection, name: str) -> Answer:
    """Refuse what was made from another version than the one that is there."""
    changed = "the object has been modified; please apply your changes to the latest version"
    what = f'Operation cannot be fulfilled on {collection.resource} "{name}"'
    return refusal(409, "Conflict", f"{what}: {changed} and try again")


def invalid(collection: Collection, name: str, why: str) -> Answer:
    """Refuse an object that says what it must not."""
    return refusal(422, "Invalid", f'{collection.kind} "{name}" is invalid: {why}')


def bad(why: str) -> Answer:
    """Refuse a request that makes no sense."""
    return refusal(400, "BadRequest", why)


def not_allowed() -> Answer:
    """Refuse a method."""
    message = "the server does not allow this method on the requested resource"
    return refusal(405, "MethodNotAllowed", message)
