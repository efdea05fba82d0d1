"""Secret: passwords of BGP sessions, and the key of members on layer 2."""

from __future__ import annotations

import base64
import binascii
import contextlib
from dataclasses import dataclass, field

from orchestrator.config.faults import Faults
from orchestrator.config.item import Item
from orchestrator.config.schema import Field, Kind, MapOf, Record, Scope, Text, Values
from orchestrator.model.settings import MEMBER_KEY

BASIC_AUTH = "kubernetes.io/basic-auth"
_TEXTS = MapOf(Text(max_length=2 * 1024 * 1024))


@dataclass(frozen=True, slots=True)
class Secret:
    """What is needed of a Secret: its type, and the key `password` or why it cannot be read.

    `member_keys` authenticate hellos: `secretkey`, as in MetalLB's Secret `memberlist`, is sent,
    and what further keys with that beginning (`secretkey-next`) hold is accepted as well, so that
    a key can be changed without a gap.
    """

    type: str
    password: str | None = field(default=None, repr=False)
    unusable: str | None = None
    member_keys: tuple[bytes, ...] = field(default=(), repr=False)


def _build(item: Item, faults: Faults) -> Secret:
    del faults
    kind, data, plain = (item.body[name] for name in ("type", "data", "stringData"))
    password, unusable = _password(data, plain)
    return Secret(kind, password, unusable, _member_keys(data, plain))


def _member_keys(data: Values, plain: Values) -> tuple[bytes, ...]:
    """Return the key to send first, then the others by name; none without the one to send."""
    found = {name: text.encode() for name, text in plain.items() if name.startswith(MEMBER_KEY)}
    for name in sorted(name for name in data if name.startswith(MEMBER_KEY)):
        with contextlib.suppress(binascii.Error, ValueError):
            found.setdefault(name, base64.b64decode(data[name], validate=True))
    if not found.get(MEMBER_KEY):
        return ()
    return tuple(found[name] for name in sorted(found) if found[name])


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
