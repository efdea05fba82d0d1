"""A speaker that is killed at any of its messages, to the API server or ExaBGP, takes no route away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.cluster import Cluster
from tests.apiserver.kills import Death, Moment, Play, moments
from tests.apiserver.processes import (
    ADVERTISEMENTS,
    BGP_STATUSES,
    PEERS,
    POOLS,
    SERVICES,
    SETTINGS,
    SLICES,
    SPEAKER_STATES,
    STATES,
    endpoint,
    give,
    made,
    pool,
    service,
    status_of,
)
from tests.fakes.apiserver_thread import ModelServer
from tests.fakes.exabgp_relay import ServedExaBGP

AT_ONCE = 12
"""Plays at a time: most of each is waiting."""
NEVER = 1_000_000
OLD, WEB = "192.0.2.1/32", "192.0.2.2/32"
ROUTER = "127.0.0.9"
SPEAKER = f"{SPEAKER_STATES}/n1"


def play(directory: Path, death: Death, to: str) -> Any:
    """Play one Service from nothing to deleted, with a death at messages `to` one of the two."""
    directory.mkdir()
    with ModelServer(directory) as server, ServedExaBGP(directory / "n1" / "r") as exabgp:
        prepare(server)
        if to == "api":
            server.http.witness = death
        else:
            exabgp.witness = death
        it = Play(server, "speaker", directory / "n1", death, "--node", "n1")
        try:
            told = story(server, exabgp, it)
        finally:
            it.role.stop()
        check(exabgp)
        return told


def prepare(server: Cluster) -> None:
    """Make a cluster with one Service that is to be announced."""
    made(server, "/api/v1/nodes", {"metadata": {"name": "n1"}})
    made(server, POOLS, pool("sixteen", "192.0.2.0/28"))
    kind = {"apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement"}
    made(server, ADVERTISEMENTS, {**kind, "metadata": {"name": "all"}, "spec": {}})
    kind = {"apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer"}
    spec = {"myASN": 64500, "peerASN": 64501, "peerAddress": ROUTER}
    made(server, PEERS, {**kind, "metadata": {"name": "router"}, "spec": spec})
    kind = {"apiVersion": "orchestrator.io/v1alpha1", "kind": "Settings"}
    spec = {"statusObjects": {"bgp": True}}
    made(server, SETTINGS, {**kind, "metadata": {"name": "settings"}, "spec": spec})
    _announce(server, "old", "192.0.2.1")


def _announce(server: Cluster, name: str, address: str) -> None:
    made(server, SERVICES, service(name))
    give(server, name, address)
    made(server, SLICES, endpoint(name))


def story(server: Cluster, exabgp: ServedExaBGP, it: Play) -> Any:
    """Play the life of another Service; return what is told in the end."""
    it.until(lambda: _wire(exabgp) == {OLD}, "announced the old one")
    _announce(server, "web", "192.0.2.2")
    it.until(lambda: _wire(exabgp) == {OLD, WEB}, "announced both")
    it.until(lambda: _told(server) == {"old", "web"}, "told of both")
    it.until(lambda: _flushed(server) == 2, "told that both are there")
    server.request("DELETE", f"{SERVICES}/web")
    it.until(lambda: _wire(exabgp) == {OLD}, "withdrew one")
    it.until(lambda: _told(server) == {"old"}, "told of one")
    it.until(lambda: _flushed(server) == 1, "told that one is there")
    view = f"{STATES}/speaker-n1"
    result = it.until(lambda: status_of(server, view).get("result"), "told of its view")
    return result, _sessions(server)


def _wire(exabgp: ServedExaBGP) -> frozenset[str]:
    """What the router holds now."""
    return exabgp.wires[-1].get(ROUTER, frozenset()) if exabgp.wires else frozenset()


def _told(server: Cluster) -> set[str]:
    """Services that a ServiceBGPStatus tells of, each of them one."""
    items = server.request("GET", BGP_STATUSES).body["items"]
    names = [item.get("status", {}).get("serviceName", "") for item in items]
    return set(names) if len(names) == len(set(names)) else set()


def _flushed(server: Cluster) -> int:
    found: int = status_of(server, SPEAKER).get("routes", {}).get("flushed", -1)
    return found


def _sessions(server: Cluster) -> list[tuple[str, str]]:
    return [(one["peer"], one["state"]) for one in status_of(server, SPEAKER)["sessions"]]


def check(exabgp: ServedExaBGP) -> None:
    """Each route came once and stayed: what was withdrawn in between would have come again."""
    held = [wire.get(ROUTER, frozenset()) for wire in exabgp.wires]
    assert {prefix for wire in held for prefix in wire} == {OLD, WEB}
    for prefix in (OLD, WEB):
        times = [there for there, _ in groupby(prefix in wire for wire in held)]
        assert times.count(True) == 1, (prefix, held)


@pytest.mark.parametrize("to", ["api", "exabgp"])
def test_a_kill_at_each_message(tmp_path: Path, to: str) -> None:
    """Each route comes once and stays until its Service goes; what is told is right in the end."""
    undisturbed = Death(NEVER, Moment.DONE)
    usual = play(tmp_path / "usual", undisturbed, to)
    assert usual[1] == [("router", "up")]
    deaths = list(moments(undisturbed.count))
    names = [tmp_path / f"{one.number}-{one.moment.value}" for one in deaths]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        plays = threads.map(play, names, deaths, [to] * len(deaths))
        for death, told in zip(deaths, plays, strict=True):
            assert death.done or death.count < death.number, death
            assert told == usual, death
    assert sum(death.done for death in deaths) > undisturbed.count
