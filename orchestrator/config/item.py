"""One object as its kind's `build` sees it: metadata, annotations' settings, body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.config.schema import Field, MapOf, Record, Text, Values

OBJECT_NAME = Text(
    "an object's name (lower case letters, digits, - and .)",
    re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"),
    253,
    1,
)

METADATA = Record(
    fields=(
        Field("name", OBJECT_NAME, "Name of the object.", required=True),
        Field("namespace", Text(max_length=63), "Namespace of the object.", default=""),
        Field("labels", MapOf(Text()), "Labels that selectors match.", default={}),
        Field("annotations", MapOf(Text(max_length=1 << 20)), "Annotations.", default={}),
        Field(
            "creationTimestamp", Text(max_length=64), "When it was made; decides age.", default=""
        ),
        Field("uid", Text(max_length=64), "The API server's identity of it.", default=""),
    ),
    lenient=True,
)


@dataclass(frozen=True, slots=True)
class Item:
    """An object that was read without error.

    `settings` are the values of the annotations that the kind declares. `trusted` tells whether it
    may name commands and files of this host.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    created: str
    uid: str
    settings: Values
    body: Values
    trusted: bool
