"""Decoding what an API server sends gives what reading the same text with places gives."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from orchestrator.config.fast.wire import read_wire
from orchestrator.config.kinds.registry import KINDS, kind_of
from orchestrator.config.objects import read_document
from tests.property.test_fast_reading import service_like


@given(service_like())
def test_decoding_is_careful_reading_or_nothing(made: dict[str, Any]) -> None:
    """Whatever an object of everybody's kinds holds: it means the same, or it is left to the other."""
    group, _, version = made["apiVersion"].rpartition("/")
    kind = kind_of(group, version, made["kind"])
    assert kind is not None
    text = json.dumps(made).encode()
    quick = read_wire(kind, text)
    if quick is None:
        return
    found = read_document(text, trusted=False).found
    if not found:
        return  # what means something in YAML only, such as a key <<
    (careful,) = found
    assert (quick.name, quick.namespace, quick.created) == (
        careful.name,
        careful.namespace,
        careful.created,
    )
    assert quick.draft == careful.draft
    assert careful.faults == ()


def test_plain_objects_are_decoded() -> None:
    """An ordinary Service is not left to the careful reader."""
    metadata = {"name": "a", "namespace": "b", "labels": None, "managedFields": [{"x": 1}]}
    spec = {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80}]}
    text = json.dumps({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}})
    services = next(kind for kind in KINDS if kind.name == "Service")
    found = read_wire(services, text.encode())
    assert found is not None
    assert (found.draft.load_balancer, len(found.draft.ports)) == (True, 1)
