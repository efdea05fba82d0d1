"""Events are what the server and `kubectl describe` expect of a recorder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.events import Reference, event_write, limited, service_reference
from orchestrator.kube.writes import Write
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import KubernetesEvent

AT = "2026-07-01T10:00:00Z"
EVENT = KubernetesEvent("Normal", "IPAllocated", "Assigned IP")


def written(about: Reference, event: KubernetesEvent = EVENT) -> Write:
    """The write of an Event of the controller."""
    return event_write(about, event, "metallb-controller", "node-a", at=AT, suffix="17ab")


def test_event_about_a_service() -> None:
    """It is beside the Service, says which version of it was meant, and who says so."""
    service = Service(ServiceKey("shop", "web"), uid="u1")
    write = written(service_reference(service, "41"))
    assert (write.label, write.method) == ("Event shop/web.17ab", "POST")
    assert write.path == "/api/v1/namespaces/shop/events"
    assert write.body == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.17ab", "namespace": "shop"},
        "involvedObject": {
            "kind": "Service",
            "apiVersion": "v1",
            "namespace": "shop",
            "name": "web",
            "uid": "u1",
            "resourceVersion": "41",
        },
        "type": "Normal",
        "reason": "IPAllocated",
        "message": "Assigned IP",
        "source": {"component": "metallb-controller", "host": "node-a"},
        "reportingComponent": "metallb-controller",
        "reportingInstance": "node-a",
        "firstTimestamp": AT,
        "lastTimestamp": AT,
        "count": 1,
    }


def test_event_about_an_object_of_the_cluster() -> None:
    """It is in `default`, and names no namespace for the object."""
    write = written(Reference("Node", "v1", "", "node-a"))
    assert write.path == "/api/v1/namespaces/default/events"
    assert write.body is not None
    assert write.body["involvedObject"] == {"kind": "Node", "apiVersion": "v1", "name": "node-a"}


@pytest.mark.parametrize("name", ["a" * 253, "a" * 247 + ".b" + "c" * 4])
def test_long_names_leave_room_for_the_suffix(name: str) -> None:
    """The name stays one that the server takes, and its own."""
    write = written(Reference("Node", "v1", "", name))
    assert write.body is not None
    made = write.body["metadata"]["name"]
    assert len(made) <= 253
    assert made.endswith(".17ab")
    assert ".." not in made


@given(st.text(max_size=600), st.integers(0, 3))
def test_messages_are_limited(text: str, times: int) -> None:
    """A message has at most 1024 bytes, is whole where it can be, and is never half a character."""
    message = text * times
    cut = limited(message)
    assert len(cut.encode()) <= 1024
    assert cut == message or (len(message.encode()) > 1024 and cut.endswith("..."))
    assert message.startswith(cut.removesuffix("...")) or cut == message
