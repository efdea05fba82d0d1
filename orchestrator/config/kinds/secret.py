"""Secret: passwords of BGP sessions."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import Field, Kind, MapOf, Record, Scope, Text

BASIC_AUTH = "kubernetes.io/basic-auth"
_TEXTS = MapOf(Text(max_length=2 * 1024 * 1024))


@dataclass(frozen=True, slots=True)
class Secret:
    """What a peer needs of a Secret: its type, and the key `password` or why it cannot be read."""

    type: str
    password: str | None = field(default=None, repr=False)
    unusable: str | None = None


def _build(item: Item, faults: Faults) -> Secret:
    del faults
    kind, data, plain = (item.body[name] for name in ("type", "data", "stringData"))
    if "password" in plain:
        return Secret(kind, plain["password"])
    if "password" not in data:
        return Secret(kind, unusable="it has no key password")
    try:
        password = base64.b64decode(data["password"], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return Secret(kind, unusable="its key password is not base64 of UTF-8 text")
    return Secret(kind, password)


KIND = Kind(
    name="Secret",
    group="",
    versions=("v1",),
    doc="A Secret of type kubernetes.io/basic-auth: the TCP-MD5 key of BGP sessions.",
    body=Record(
        (
            Field("type", Text(max_length=253), "kubernetes.io/basic-auth.", default="Opaque"),
            Field("data", _TEXTS, "`password` in base64.", default={}, secret=True),
            Field("stringData", _TEXTS, "`password` as it is.", default={}, secret=True),
        ),
        lenient=True,
    ),
    build=_build,
    scope=Scope.NAMESPACED,
)
