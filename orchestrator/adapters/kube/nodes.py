"""A Node's drain annotation, set and taken away by a command (CLI.md, drain)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from orchestrator.adapters import clock
from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kube.access import Access, Answer
from orchestrator.kube.resources import NODES
from orchestrator.kube.wire import decode_refusal
from orchestrator.kube.writes import patch

DRAIN = "orchestrator.io/drain"


async def set_drain(
    node: str, kubeconfig: Path | None, context: str | None, *, drained: bool
) -> None:
    """Annotate a Node, or end that; raises `AdapterError` when the API server does not do it.

    A Node that is annotated already stays as it is: it keeps its place in the order of drains.
    """
    access = Access(kubeconfig, context)
    await access.open()
    try:
        found = _demanded(node, await access.request("GET", NODES.object_path("", node)))
        annotations = msgspec.json.decode(found, type=_Node).metadata.annotations or {}
        if drained is not (DRAIN in annotations):
            value = clock.wall() if drained else None
            write = patch(NODES, "", node, {"metadata": {"annotations": {DRAIN: value}}})
            _demanded(node, await access.send(write))
    finally:
        await access.close()


def _demanded(node: str, answer: Answer) -> bytes:
    if answer.status != 200:
        raise AdapterError(f"node {node}", decode_refusal(answer.body).message)
    return answer.body


class _Metadata(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Node(msgspec.Struct):
    metadata: _Metadata
