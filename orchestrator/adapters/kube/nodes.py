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
from orchestrator.model.cluster import DRAIN, DRAIN_WAIT


async def set_drain(
    node: str,
    kubeconfig: Path | None,
    context: str | None,
    *,
    drained: bool,
    wait_s: float | None = None,
) -> None:
    """Annotate a Node, or end that; raises `AdapterError` when the API server does not do it.

    A Node that is annotated already stays as it is: it keeps its place in the order of drains.
    `wait_s` is how long its routes are only made unattractive, None for as long as usual.
    """
    access = Access(kubeconfig, context)
    await access.open()
    try:
        found = _demanded(node, await access.request("GET", NODES.object_path("", node)))
        known = msgspec.json.decode(found, type=_Node).metadata.annotations or {}
        if drained is not (DRAIN in known):
            since = clock.wall() if drained else None
            wait = None if wait_s is None or not drained else f"{wait_s:g}"
            annotations = {DRAIN: since, DRAIN_WAIT: wait}
            write = patch(NODES, "", node, {"metadata": {"annotations": annotations}})
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
