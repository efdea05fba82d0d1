"""A real API server takes what we write, and what it makes of it needs no second write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config.kinds.registry import kind_of
from orchestrator.config.live import LiveObjects
from orchestrator.kube import configuration_state, speaker_state
from orchestrator.kube.announced_status import bgp_writes, l2_writes, of_gone_nodes
from orchestrator.kube.events import event_write, service_reference
from orchestrator.kube.pool_status import PoolCounts, pool_write
from orchestrator.kube.resources import EVENTS, IP_ADDRESS_POOLS, SERVICES, written_by_nodes
from orchestrator.kube.service_status import POOL_ANNOTATION, service_write
from orchestrator.kube.speaker_state import SpeakerReport
from orchestrator.kube.writes import Write
from orchestrator.lab.apiserver import Answer, ApiServer
from orchestrator.model.cluster import Service, ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState, KubernetesEvent
from orchestrator.model.problem import Problem, Severity
from tests.unit.kube.test_speaker_state import TOLD

AT, LATER = "2026-07-01T10:00:00Z", "2026-07-01T10:00:01Z"
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "speaker-x", "uid": "1"}
MADE = (SERVICES, EVENTS, IP_ADDRESS_POOLS)
PENDING = AssignmentState.PENDING
NAMESPACE = "written"
"""A namespace of these tests, as the server is everybody's."""


@pytest.fixture(autouse=True)
def _in_an_empty_namespace(server: ApiServer) -> Iterator[None]:
    """Give each test the namespace, and take away what it left."""
    body = {"metadata": {"name": NAMESPACE}}
    assert server.request("POST", "/api/v1/namespaces", body).status in {201, 409}
    yield
    for one in (*written_by_nodes(NAMESPACE), *(replace(r, namespace=NAMESPACE) for r in MADE)):
        assert server.request("DELETE", one.path).status == 200


def send(server: ApiServer, write: Write) -> Answer:
    """Send a write as it stands."""
    kind = write.content_type.removeprefix("application/")
    return server.request(write.method, write.path, write.body, kind=kind)


def send_all(server: ApiServer, writes: Iterable[Write]) -> list[dict[str, Any]]:
    """Send writes that the server must take; returns what it made of them."""
    answers = [send(server, write) for write in writes]
    assert [one.status for one in answers if one.status not in {200, 201}] == [], answers
    return [one.body for one in answers]


def there_are(server: ApiServer) -> list[dict[str, Any]]:
    """All objects that speakers write."""
    answers = [server.request("GET", one.path) for one in written_by_nodes(NAMESPACE)]
    return [item for answer in answers for item in answer.body["items"]]


def service_of(document: dict[str, Any]) -> Service:
    """Read a Service as the roles do."""
    kind = kind_of("", "v1", "Service")
    assert kind is not None
    objects = LiveObjects(NAMESPACE)
    objects.change(kind, "v1", [json.dumps(document).encode()], [])
    (service,) = objects.read().cluster.services.values()
    return service


def new_service(server: ApiServer, name: str) -> dict[str, Any]:
    """Make a Service without addresses."""
    spec = {
        "type": "LoadBalancer",
        "ports": [{"port": 80}],
        "allocateLoadBalancerNodePorts": False,
    }
    body = {"metadata": {"name": name}, "spec": spec}
    answer = server.request("POST", f"/api/v1/namespaces/{NAMESPACE}/services", body)
    assert answer.status == 201, answer.message
    return answer.body


def next_write(document: dict[str, Any], assignment: Assignment) -> Write | None:
    """Ask what is to be written to a Service as the server has it."""
    return service_write(service_of(document), document["metadata"]["resourceVersion"], assignment)


@pytest.mark.parametrize("addresses", [["192.0.2.1"], ["192.0.2.1", "2001:db8::1"]])
def test_service(server: ApiServer, addresses: list[str]) -> None:
    """Addresses and annotation go in one write of the status, a stale one is refused, all is cleared."""
    made = new_service(server, "written")
    service = service_of({**made, "status": status_with(addresses)})
    wanted = Assignment(service.key, AssignmentState.ASSIGNED, service.ingress, "edge")
    write = next_write(made, wanted)
    assert write is not None
    (there,) = send_all(server, [write])
    assert [one["ip"] for one in there["status"]["loadBalancer"]["ingress"]] == addresses
    assert there["metadata"]["annotations"] == {POOL_ANNOTATION: "edge"}
    assert next_write(there, wanted) is None
    moved = next_write(made, Assignment(service.key, AssignmentState.ASSIGNED, (), "other"))
    assert moved is not None
    assert send(server, moved).status == 409
    cleared = next_write(there, Assignment(service.key, PENDING))
    assert cleared is not None
    (there,) = send_all(server, [cleared])
    assert there["status"]["loadBalancer"] == {}
    assert "annotations" not in there["metadata"]
    assert next_write(there, Assignment(service.key, PENDING)) is None


def status_with(addresses: list[str]) -> dict[str, Any]:
    """A status with these addresses."""
    return {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}


def test_event(server: ApiServer) -> None:
    """The Event is found by the Service's uid, as `kubectl describe` looks for it."""
    made = new_service(server, "told")
    about = service_reference(service_of(made), made["metadata"]["resourceVersion"])
    event = KubernetesEvent("Warning", "not enough clusterips", "x" * 2000)
    send_all(server, [event_write(about, event, "metallb-controller", "h", at=AT, suffix="1a")])
    # Just after its start the server tells of cluster IPs too, which it takes for lost.
    selector = f"involvedObject.uid={made['metadata']['uid']},source=metallb-controller"
    path = f"/api/v1/namespaces/{NAMESPACE}/events?fieldSelector={selector}"
    (found,) = server.request("GET", path).body["items"]
    assert found["metadata"]["name"] == "told.1a"
    assert (found["type"], found["reason"], found["count"]) == (event.type, event.reason, 1)
    assert found["source"] == {"component": "metallb-controller", "host": "h"}
    assert found["reportingComponent"] == "metallb-controller"
    assert (found["firstTimestamp"], found["lastTimestamp"]) == (AT, AT)
    assert len(found["message"]) == 1024


def test_pool(server: ApiServer) -> None:
    """The largest counts are taken, and the spec stays as it was."""
    path = f"/apis/metallb.io/v1beta1/namespaces/{NAMESPACE}/ipaddresspools"
    made = {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": "counted"},
        "spec": {"addresses": ["2001:db8::/64"]},
    }
    before = server.request("POST", path, made).body
    counts = PoolCounts(0, 1, 0, 2**63 - 1)
    write = pool_write(NAMESPACE, "counted", counts, before.get("status"))
    assert write is not None
    (there,) = send_all(server, [write])
    assert there["status"] == counts.status
    assert there["spec"] == before["spec"]
    assert pool_write(NAMESPACE, "counted", counts, there["status"]) is None


@pytest.mark.parametrize("name", ["controller", "speaker-n"])
def test_configuration_state(server: ApiServer, name: str) -> None:
    """Errors come and go in one object, as long as the definition allows."""

    def step(problems: list[Problem] | None, observed: Any) -> Any:
        writes = configuration_state.write(NAMESPACE, name, problems, observed, at=AT)
        there = send_all(server, writes)[-1]
        again = configuration_state.write(NAMESPACE, name, problems, there, at=LATER)
        assert again == []
        return there

    there = step(None, None)
    assert there["status"] == {"result": "Unknown"}
    bad = [Problem(Severity.ERROR, "c", "o", f"wrong {number}") for number in range(3000)]
    for problems in ([], bad, bad[:1], []):
        there = step(problems, there)
    assert there["status"]["result"] == "Valid"
    assert "errorSummary" not in there["status"]


def test_what_nodes_write(server: ApiServer) -> None:
    """Made, filled, found as it was wanted, changed, and deleted when the node is gone."""
    web, cart = ServiceKey("shop", "web"), ServiceKey("shop", "cart")

    def writes(keys: list[ServiceKey], told: SpeakerReport, found: Any) -> list[Write]:
        state = next((one for one in found if one["kind"] == "SpeakerState"), None)
        return [
            *l2_writes("n", NAMESPACE, {key: {"eth0"} for key in keys}, found, OWNER),
            *bgp_writes("n", NAMESPACE, {key: {"r1"} for key in keys}, found, OWNER),
            *speaker_state.write(NAMESPACE, told, state, AT),
        ]

    send_all(server, writes([web, cart], TOLD, []))
    there = there_are(server)
    assert len(there) == 5
    assert writes([web, cart], TOLD, there) == []
    emptied = SpeakerReport("n", "2")
    changes = writes([web], emptied, there)
    assert sorted(one.method for one in changes) == ["DELETE", "DELETE", "PATCH"]
    send_all(server, changes)
    assert writes([web], emptied, there_are(server)) == []
    assert of_gone_nodes(there_are(server), {"n"}) == []
    send_all(server, of_gone_nodes(there_are(server), {"m"}))
    assert there_are(server) == []


def test_delete_spares_a_namesake(server: ApiServer) -> None:
    """An object that has the name, but is not the one that was seen, stays."""
    send_all(server, l2_writes("n", NAMESPACE, {ServiceKey("shop", "web"): None}, []))
    (there,) = there_are(server)
    seen = {**there, "metadata": {**there["metadata"], "uid": "another"}}
    (write,) = of_gone_nodes([seen], set())
    assert send(server, write).status == 409
    send_all(server, of_gone_nodes([there], set()))
    assert there_are(server) == []
