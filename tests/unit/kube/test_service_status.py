"""A Service's status is written when its assignment is another one, and only then."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.live import LiveObjects
from orchestrator.kube.service_status import POOL_ANNOTATION, service_write
from orchestrator.kube.writes import MERGE_PATCH
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState
from tests.fakes.merge_patch import merge_patch

KEY = ServiceKey("shop", "web")
OLD_POOL = "metallb.universe.tf/ip-allocated-from-pool"
ONE, OTHER, SIX = (ip_address(text) for text in ("192.0.2.1", "192.0.2.2", "2001:db8::1"))
ADDRESSES = st.lists(st.sampled_from([ONE, OTHER, SIX]), unique=True, max_size=2)
NAMES = st.sampled_from(["edge", "core"])


def document(*addresses: object, **annotations: str) -> dict[str, Any]:
    """A Service as the server has it, with what the server adds to each address."""
    ingress = [{"ip": str(address), "ipMode": "VIP"} for address in addresses]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "uid": "1",
            "annotations": annotations,
        },
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]},
        "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
    }


def read(observed: dict[str, Any]) -> Service:
    """Read a Service as the roles do."""
    kind = kind_of("", "v1", "Service")
    assert kind is not None
    objects = LiveObjects("ours")
    objects.change(kind, "v1", [json.dumps(observed).encode()], [])
    return objects.read().cluster.services[KEY]


def assigned(pool: str | None, *addresses: Any) -> Assignment:
    """Assign these addresses."""
    return Assignment(KEY, AssignmentState.ASSIGNED, addresses, pool)


PENDING = Assignment(KEY, AssignmentState.PENDING)


def test_addresses_and_pool_go_in_one_write() -> None:
    """The status subresource is patched, based on the version that was read."""
    write = service_write(read(document()), "41", assigned("edge", ONE, SIX))
    assert write is not None
    assert write.path == "/api/v1/namespaces/shop/services/web/status"
    assert (write.method, write.content_type) == ("PATCH", MERGE_PATCH)
    assert write.label == "Service shop/web status"
    assert write.body == {
        "metadata": {"resourceVersion": "41", "annotations": {POOL_ANNOTATION: "edge"}},
        "status": {"loadBalancer": {"ingress": [{"ip": str(ONE)}, {"ip": str(SIX)}]}},
    }


@given(ADDRESSES, NAMES, ADDRESSES, NAMES)
def test_asked_again_there_is_nothing_to_write(
    had: list[Any], had_pool: str, wanted: list[Any], pool: str
) -> None:
    """Whatever a Service had: after the write it has its assignment."""
    there = document(*had, **({POOL_ANNOTATION: had_pool} if had else {}))
    answer = assigned(pool, *wanted) if wanted else PENDING
    write = service_write(read(there), "1", answer)
    if write is not None:
        there = merge_patch(there, write.body)
    after = read(there)
    assert set(after.ingress) == set(wanted)
    assert after.allocated_pool == (pool if wanted else None)
    assert service_write(after, "2", answer) is None


def test_order_alone_is_no_difference() -> None:
    """What another controller wrote in its own order stays as it is."""
    there = read(document(SIX, ONE, **{POOL_ANNOTATION: "edge"}))
    assert service_write(there, "1", assigned("edge", ONE, SIX)) is None


@pytest.mark.parametrize("annotation", [POOL_ANNOTATION, OLD_POOL])
def test_a_pending_service_has_no_pool(annotation: str) -> None:
    """The annotation goes in both spellings, so that it is gone when it is read again."""
    there = document(ONE, **{annotation: "edge"})
    write = service_write(read(there), "1", PENDING)
    assert write is not None
    there = merge_patch(there, write.body)
    assert there["status"] == {"loadBalancer": {}}
    assert there["metadata"]["annotations"] == {}
    assert service_write(read(there), "1", PENDING) is None


def test_services_of_others_are_left_alone() -> None:
    """A Service that is not ours keeps what somebody else gave it."""
    ignored = Assignment(KEY, AssignmentState.IGNORED)
    assert service_write(read(document(ONE)), "1", ignored) is None
