"""Secrets that an onlooker may not read, supposed to be as their users need them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from orchestrator.kube.wire import RawObject

_TYPE = "kubernetes.io/basic-auth"
_WORD = base64.b64encode(b"supposed").decode()
_KEYS = ("password", "secretkey")


def supposed_secrets(objects: Iterable[RawObject]) -> list[bytes]:
    """Return a Secret for each name that `objects` (BGPPeers, Settings) refer to.

    Without them peers that have a password would seem to have none, and to be waiting.
    """
    named = {(one.key.namespace, name) for one in objects for name in _names(one.text)}
    return [_secret(namespace, name) for namespace, name in sorted(named)]


def _names(text: bytes) -> Iterator[str]:
    spec = _mapping(_mapping(msgspec.json.decode(text)).get("spec"))
    yield from filter(None, [_mapping(spec.get("passwordSecret")).get("name")])
    yield from filter(None, [_mapping(spec.get("membership")).get("authSecret")])


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _secret(namespace: str, name: str) -> bytes:
    metadata = {"name": name, "namespace": namespace}
    return msgspec.json.encode(
        {"metadata": metadata, "type": _TYPE, "data": dict.fromkeys(_KEYS, _WORD)}
    )
