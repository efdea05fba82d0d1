"""Objects that a server sent, as one text that says of each what it is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.kube.resource import Resource


def list_text(resource: Resource, texts: Iterable[bytes]) -> bytes:
    """Return a List of objects of one resource; those in the server's lists do not say their kind."""
    group = f"{resource.group}/" if resource.group else ""
    head = msgspec.json.encode({"apiVersion": group + resource.version, "kind": resource.kind})
    items = b",".join(head[:-1] + b"," + text.lstrip()[1:] for text in texts)
    return b'{"apiVersion":"v1","kind":"List","items":[' + items + b"]}"
