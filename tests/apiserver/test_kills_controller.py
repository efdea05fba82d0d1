"""A controller that is killed at any of its writes, and started again, moves no address and doubles none."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.apiserver.cluster import Cluster
from tests.apiserver.kills import Death, Moment, Play, doubled, history, ingress, moments, moved
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    POOLS,
    SERVICES,
    SLICES,
    STATES,
    endpoint,
    give,
    made,
    pool,
    service,
    status_of,
)
from tests.fakes.apiserver_thread import ModelServer

EVENTS = "/api/v1/namespaces/default/events"
AT_ONCE = 8
"""Plays at a time: most of each is waiting."""
NEVER = 1_000_000


def play(directory: Path, death: Death) -> tuple[ModelServer, Counter[str]]:
    """Play one Service from nothing to deleted; returns the server, and Events by reason."""
    directory.mkdir()
    with ModelServer(directory) as server:
        prepare(server)
        server.http.witness = death
        it = Play(server, "controller", directory / "c", death, "--node", "c")
        try:
            story(server, it)
        finally:
            it.role.stop()
        _check(server)
        return server, events(server)


def prepare(server: Cluster) -> None:
    """Make a cluster with one Service that has an address, and one that has none."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("four", "192.0.2.0/30"))
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    made(server, SERVICES, service("old"))
    give(server, "old", "192.0.2.1")
    made(server, SERVICES, service("web"))


def story(server: Cluster, it: Play) -> None:
    """Play the life of a Service, and see that another one gets its address."""
    it.until(lambda: held(server, "web"), "given an address")
    it.until(lambda: counts(server) == (2, 2), "counted")
    it.until(lambda: status_of(server, f"{STATES}/controller").get("result") == "Valid", "told")
    made(server, SLICES, endpoint("web"))
    it.until(lambda: it.death.done or events(server)["Announced"], "told of the endpoint")
    server.request("DELETE", f"{SERVICES}/web")
    it.until(lambda: counts(server) == (1, 3), "counted again")
    made(server, SERVICES, service("next"))
    it.until(lambda: held(server, "next"), "given to the next")


def _check(server: ModelServer) -> None:
    states = history(server)
    assert moved(states) == []
    assert doubled(states) == []
    web = {state["web"] for state in states if state.get("web")}
    assert len(web) == 1, web
    assert states[-1] == {"old": ("192.0.2.1",), "next": web.pop()}


def held(server: Cluster, name: str) -> tuple[str, ...]:
    """Addresses of a Service."""
    return ingress(server.request("GET", f"{SERVICES}/{name}").body)


def counts(server: Cluster) -> tuple[int, int]:
    """Addresses of the pool that are in use and free, by its status."""
    status = status_of(server, f"{POOLS}/four")
    return status.get("assignedIPv4", 0), status.get("availableIPv4", 0)


def events(server: Cluster) -> Counter[str]:
    """Events about the Service, by reason."""
    items = server.request("GET", EVENTS).body["items"]
    about = "involvedObject"
    return Counter(item["reason"] for item in items if item[about]["name"] == "web")


def test_a_kill_at_each_write(tmp_path: Path) -> None:
    """One address each, never another, at most one Event more, and what is told is right in the end."""
    undisturbed = Death(NEVER, Moment.DONE)
    _, usual = play(tmp_path / "usual", undisturbed)
    print("N", undisturbed.count, usual)
    assert usual["IPAllocated"] == usual["Announced"] == 1
    deaths = list(moments(undisturbed.count))
    names = [tmp_path / f"{one.number}-{one.moment.value}" for one in deaths]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        plays = threads.map(play, names, deaths)
        for death, (_, told) in zip(deaths, plays, strict=True):
            assert death.done or death.count < death.number, death
            more = {reason: count for reason, count in told.items() if count > usual[reason] + 1}
            assert not more, (death, told, usual)
    assert sum(death.done for death in deaths) > undisturbed.count
