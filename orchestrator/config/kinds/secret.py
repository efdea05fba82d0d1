"""Secret: passwords of BGP sessions, and the key of members on layer 2."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import Field, Kind, MapOf, Record, Scope, Text, Values

BASIC_AUTH = "kubernetes.io/basic-auth"
MEMBER_KEY = "secretkey"
_TEXTS = MapOf(Text(max_length=2 * 1024 * 1024))


@dataclass(frozen=True, slots=True)
class Secret:
    """What is needed of a Secret: its type, and the key `password` or why it cannot be read.

    `authenticates` tells whether it has the key `secretkey`, as MetalLB's Secret `memberlist` has.
    """

    type: str
    password: str | None = field(default=None, repr=False)
    unusable: str | None = None
    authenticates: bool = False


def _build(item: Item, faults: Faults) -> Secret:
    del faults
    kind, data, plain = (item.body[name] for name in ("type", "data", "stringData"))
    password, unusable = _password(data, plain)
    return Secret(kind, password, unusable, bool(plain.get(MEMBER_KEY) or data.get(MEMBER_KEY)))


def _password(data: Values, plain: Values) -> tuple[str | None, str | None]:
    """Return the password, or why there is none."""
    if "password" in plain:
        return plain["password"], None
    if "password" not in data:
        return None, "it has no key password"
    try:
        return base64.b64decode(data["password"], validate=True).decode("utf-8"), None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None, "its key password is not base64 of UTF-8 text"


KIND = Kind(
    name="Secret",
    group="",
    versions=("v1",),
    doc="The TCP-MD5 key of BGP sessions (type kubernetes.io/basic-auth), or the key of members.",
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
