"""What lists and watches consist of, as far as it is looked at before an object is read.

Only the head of an object is decoded here: the rest stays as the bytes that came, for whoever
knows the kind.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Key(NamedTuple):
    """Namespace and name; the namespace is empty for objects of the cluster."""

    namespace: str
    name: str


class RawObject(NamedTuple):
    """One object: what it is known by, its version, and its JSON text."""

    key: Key
    uid: str
    version: str
    text: bytes


class _Metadata(msgspec.Struct, gc=False):
    name: str
    namespace: str = ""
    uid: str = ""
    version: str = msgspec.field(default="", name="resourceVersion")


class _Head(msgspec.Struct, gc=False):
    metadata: _Metadata


class _Version(msgspec.Struct, gc=False):
    version: str = msgspec.field(default="", name="resourceVersion")


class _Bookmark(msgspec.Struct, gc=False):
    metadata: _Version


class _ListMetadata(msgspec.Struct, gc=False):
    version: str = msgspec.field(default="", name="resourceVersion")
    next: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct, gc=False):
    metadata: _ListMetadata
    items: list[msgspec.Raw] | None = None


class Page(NamedTuple):
    """A page of a list; `next` is the token of the one after it, empty for the last."""

    version: str
    next: str
    objects: tuple[RawObject, ...]


class _Event(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class Event(NamedTuple):
    """One line of a watch: its type, and the object's text."""

    type: str
    text: bytes


class Refusal(msgspec.Struct, gc=False):
    """A `Status` object: why the server does not do what it was asked."""

    code: int = 0
    reason: str = ""
    message: str = ""


WireError = msgspec.MsgspecError
"""Raised for what is no such thing."""
_HEADS = msgspec.json.Decoder(_Head)
_LISTS = msgspec.json.Decoder(_List)
_EVENTS = msgspec.json.Decoder(_Event)
_BOOKMARKS = msgspec.json.Decoder(_Bookmark)
_REFUSALS = msgspec.json.Decoder(Refusal)


def decode_object(text: bytes | msgspec.Raw) -> RawObject:
    """Read the head of an object; raises WireError."""
    head = _HEADS.decode(text).metadata
    return RawObject(Key(head.namespace, head.name), head.uid, head.version, bytes(text))


def decode_bookmark(text: bytes) -> str:
    """Return the version that a bookmark is of; raises WireError."""
    return _BOOKMARKS.decode(text).metadata.version


def decode_page(text: bytes) -> Page:
    """Read a page of a list; raises WireError."""
    page = _LISTS.decode(text)
    objects = tuple(map(decode_object, page.items or ()))
    return Page(page.metadata.version, page.metadata.next, objects)


def decode_event(line: bytes) -> Event:
    """Read a line of a watch; raises WireError."""
    event = _EVENTS.decode(line)
    return Event(event.type, bytes(event.object))


def decode_refusal(text: bytes) -> Refusal:
    """Read a `Status`; what is none says nothing."""
    try:
        return _REFUSALS.decode(text)
    except WireError:
        return Refusal()
