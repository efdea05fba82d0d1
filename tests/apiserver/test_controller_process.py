"""The controller in a cluster: addresses given, kept, and given by one replica only."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.cluster import Cluster
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    LEASES,
    POOLS,
    SECRETS,
    SERVICES,
    SLICES,
    STATES,
    RoleProcess,
    addresses,
    endpoint,
    made,
    poll,
    pool,
    service,
    sweep,
)

COMPONENT = "orchestrator-controller"
TAKEN_OVER_S = 40.0
"""The time of a lease, and then some on a busy machine."""


class Replicas:
    """Controllers, one after another and beside each other."""

    def __init__(self, server: Cluster, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self.all: list[RoleProcess] = []

    def start(self, name: str) -> RoleProcess:
        """Start one."""
        one = RoleProcess(self._server, "controller", self._directory / name, ("--node", name))
        self.all.append(one)
        return one

    def holder(self) -> str:
        """Name of the one that holds the lease; empty for nobody."""
        answer = self._server.request("GET", f"{LEASES}/orchestrator-controller")
        holder: str = answer.body.get("spec", {}).get("holderIdentity") or ""
        return holder.partition("_")[0]


@pytest.fixture
def server(either: Cluster) -> Cluster:
    """Play each test against the model and the real server."""
    return either


@pytest.fixture
def replicas(server: Cluster, tmp_path: Path) -> Iterator[Replicas]:
    """Controllers in a cluster with a pool of four addresses."""
    made(server, POOLS, pool("four", "192.0.2.0/30"))
    found = Replicas(server, tmp_path)
    try:
        yield found
    finally:
        for one in found.all:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                one.stop()
        sweep(server)


def test_services_get_addresses_and_keep_them(server: Cluster, replicas: Replicas) -> None:
    """A Service gets its address and its pool; a restart moves nothing; what is free is given again."""
    first = replicas.start("a")
    for name in ("w1", "w2", "w3", "w4", "w5"):
        made(server, SERVICES, service(name))
    poll(lambda: sum(map(len, addresses(server).values())) == 4, "given out")
    before = addresses(server)
    assert sorted(ip for found in before.values() for ip in found) == [
        f"192.0.2.{number}" for number in range(4)
    ]
    annotations = server.request("GET", f"{SERVICES}/w1").body["metadata"]["annotations"]
    assert annotations["metallb.io/ip-allocated-from-pool"] == "four"
    first.stop()
    replicas.start("a2")
    poll(lambda: replicas.holder() == "a2", "the other one")
    (waiting,) = [name for name, found in before.items() if not found]
    (freed,) = before["w2"]
    server.request("DELETE", f"{SERVICES}/w2")
    poll(lambda: addresses(server)[waiting] == [freed], "given again")
    after = addresses(server)
    assert all(after[name] == found for name, found in before.items() if found and name != "w2")


def events(server: Cluster, name: str) -> list[str]:
    """Reasons of the Events about a Service."""
    items = server.request("GET", "/api/v1/namespaces/default/events").body["items"]
    ours = [item for item in items if item["source"].get("component") == COMPONENT]
    return [item["reason"] for item in ours if item["involvedObject"]["name"] == name]


def counts(server: Cluster) -> tuple[int, int]:
    """IPv4 addresses of the pool that are in use and free, by its status."""
    status = server.request("GET", f"{POOLS}/four").body.get("status", {})
    return status.get("assignedIPv4", 0), status.get("availableIPv4", 0)


def test_what_the_controller_tells(server: Cluster, replicas: Replicas) -> None:
    """Events say what became of a Service once, a pool how full it is, the controller if all is well."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    for name in ("speaker-n1", "speaker-gone"):
        kind = {"apiVersion": "metallb.io/v1beta1", "kind": "ConfigurationState"}
        made(server, STATES, {**kind, "metadata": {"name": name}})
    replicas.start("a")
    poll(lambda: replicas.holder() == "a", "led by a")
    poll(lambda: server.request("GET", f"{STATES}/controller").status == 200, "planned once")
    for name in ("w1", "w2", "w3", "w4"):
        made(server, SERVICES, service(name))
    poll(lambda: counts(server) == (4, 0), "full")
    made(server, SERVICES, service("w5"))
    poll(lambda: events(server, "w5") == ["AllocationFailed"], "told that there is none")
    poll(lambda: sorted(events(server, "w1")) == ["IPAllocated", "NotAnnounced"], "told of w1")
    server.request("DELETE", f"{SERVICES}/w1")
    poll(lambda: sorted(events(server, "w5"))[1:2] == ["IPAllocated"], "given")
    poll(lambda: valid(server), "all well, once the key of layer 2 is there")
    poll(lambda: server.request("GET", f"{STATES}/speaker-gone").status == 404, "taken away")
    assert server.request("GET", f"{STATES}/speaker-n1").status == 200
    made(server, POOLS, pool("wrong", "192.0.2.2/31"))
    poll(
        lambda: server.request("GET", f"{STATES}/controller").body["status"]["result"] == "Invalid",
        "told that a pool overlaps",
    )


def test_the_key_of_members(server: Cluster, replicas: Replicas) -> None:
    """The controller makes the Secret `memberlist` where there is none, and anew when it was deleted."""
    replicas.start("a")

    def key() -> str:
        found = server.request("GET", f"{SECRETS}/memberlist").body
        return str(found.get("data", {}).get("secretkey", ""))

    first = poll(key, "made")
    assert len(base64.b64decode(first)) == 128
    poll(lambda: valid(server), "seen")
    server.request("DELETE", f"{SECRETS}/memberlist")
    assert poll(key, "made again") != first


def valid(server: Cluster) -> bool:
    """Tell whether the controller says that the configuration is well."""
    status = server.request("GET", f"{STATES}/controller").body.get("status", {})
    return bool(status.get("result") == "Valid")


def test_what_a_controller_says_of_itself(server: Cluster, replicas: Replicas) -> None:
    """Who leads, what it planned, why a Service has no address; the other one says who leads."""
    first = replicas.start("a")
    poll(lambda: first.document("status").get("leading"), "leading")
    second = replicas.start("b")
    made(server, SERVICES, service("one"))
    poll(lambda: first.document("status")["counts"]["vips"] == 1, "planned")
    (row,) = first.document("plan")["assignments"]
    assert (row["service"], row["addresses"]) == ("default/one", ["192.0.2.0"])
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    poll(
        lambda: "noMatchingAdvertisement" in first.document("explain/default/one")["answer"],
        "explained on the node",
    )
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    made(server, SLICES, endpoint("one"))
    poll(
        lambda: (
            "no speaker has told of this node" in first.document("explain/default/one")["answer"]
        ),
        "explained by what speakers tell",
    )
    poll(lambda: (second.document("status").get("leader") or "").startswith("a_"), "told of a")
    status = second.document("status")
    assert (status["role"], status["leading"]) == ("controller", False)


def test_a_stop_hands_over_at_once(server: Cluster, replicas: Replicas) -> None:
    """Another replica gives addresses right after the one that led has stopped."""
    first = replicas.start("a")
    poll(lambda: replicas.holder() == "a", "led by a")
    replicas.start("b")
    made(server, SERVICES, service("one"))
    poll(lambda: addresses(server)["one"], "given by a")
    first.stop()
    poll(lambda: replicas.holder() == "b", "led by b", 10.0)
    made(server, SERVICES, service("two"))
    poll(lambda: addresses(server)["two"], "given by b")


def test_one_that_slept_writes_nothing_when_it_wakes(server: Cluster, replicas: Replicas) -> None:
    """A leader that is paused is replaced; when it wakes, no address is in two Services."""
    first = replicas.start("a")
    poll(lambda: replicas.holder() == "a", "led by a")
    second = replicas.start("b")
    made(server, SERVICES, service("one"))
    poll(lambda: addresses(server)["one"], "given by a")
    first.process.send_signal(signal.SIGSTOP)
    poll(lambda: replicas.holder() == "b", "led by b", TAKEN_OVER_S)
    made(server, SERVICES, service("two"))
    poll(lambda: addresses(server)["two"], "given by b")
    second.process.send_signal(signal.SIGSTOP)
    made(server, SERVICES, service("three"))
    first.process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        assert not addresses(server)["three"]
        time.sleep(0.1)
    second.process.send_signal(signal.SIGCONT)
    found = poll(lambda: all(addresses(server).values()) and addresses(server), "all given", 60.0)
    given = [ip for one in found.values() for ip in one]
    assert len(given) == len(set(given)) == 3


def test_a_request_and_a_pool_that_changes(server: Cluster, replicas: Replicas) -> None:
    """An address that is asked for is given; when its pool goes, another one is."""
    replicas.start("a")
    annotations = {"metallb.io/loadBalancerIPs": "192.0.2.2"}
    asking = service("asking")
    asking["metadata"]["annotations"] = annotations
    made(server, SERVICES, asking)
    made(server, SERVICES, service("plain"))
    poll(lambda: addresses(server).get("asking") == ["192.0.2.2"], "as asked for")
    poll(lambda: addresses(server)["plain"] == ["192.0.2.0"], "the first")
    made(server, POOLS, pool("other", "198.51.100.0/30"))
    server.request("DELETE", f"{POOLS}/four")
    poll(lambda: addresses(server)["plain"] == ["198.51.100.0"], "moved to the other pool")
    poll(lambda: addresses(server)["asking"] == [], "taken away")
