"""Whatever becomes of a real API server and its etcd, no address moves and no route goes (P7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.apiserver.breakable import API, ETCD, BreakableServer
from tests.apiserver.processes import LEASES, SERVICES, poll, service
from tests.apiserver.running import SETTLED_S, Running, nothing_moves, prepare, running

HELD_S = 2.0
"""How long each fault lasts."""


@pytest.fixture(scope="module")
def server() -> Iterator[BreakableServer]:
    """A server of this file's own."""
    with BreakableServer() as found:
        yield found


@pytest.fixture(scope="module")
def it(server: BreakableServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both roles, through one fault after the other."""
    prepare(server)
    with running(server, tmp_path_factory.mktemp("faults") / "roles") as found:
        server.back_up()
        yield found


def killed(server: BreakableServer) -> None:
    """Kill the API server."""
    server.kill()
    time.sleep(HELD_S)
    server.start()


def forgetful(server: BreakableServer) -> None:
    """Kill the API server, and let etcd forget its history."""
    server.compact()
    killed(server)


def paused(server: BreakableServer) -> None:
    """Pause the API server."""
    with server.paused(API):
        time.sleep(HELD_S)


def etcd_killed(server: BreakableServer) -> None:
    """Kill etcd under the API server."""
    with server.without_etcd():
        time.sleep(HELD_S)


def etcd_paused(server: BreakableServer) -> None:
    """Pause etcd under the API server."""
    with server.paused(ETCD):
        time.sleep(HELD_S)


@pytest.mark.parametrize("fault", [killed, forgetful, paused, etcd_killed, etcd_paused])
def test_nothing_moves(
    server: BreakableServer, it: Running, fault: Callable[[BreakableServer], None]
) -> None:
    """Through the fault all stays as it is; after it, a Service is given an address and announced."""
    with nothing_moves(it):
        fault(server)
        name = fault.__name__.replace("_", "-")
        poll(lambda: _made(server, name), "made a Service", SETTLED_S)
        it.add_endpoint(name)
        it.announced(name)
    it.remove(name)


def _made(server: BreakableServer, name: str) -> bool:
    """Make a Service; one that has just begun may not take it yet."""
    return server.request("POST", SERVICES, service(name)).status in (201, 409)


def _renewed(server: BreakableServer) -> str:
    """When the controller last renewed its Lease; empty while the server does not say."""
    spec = server.request("GET", f"{LEASES}/orchestrator-controller").body.get("spec", {})
    renewed: str = spec.get("renewTime", "")
    return renewed


def test_an_older_store(server: BreakableServer, it: Running) -> None:
    """A store that was put back is noticed: what it has forgotten goes, all else stays, and life goes on."""
    lost = it.add()
    address = it.announced(lost)
    with nothing_moves(it, lost):
        server.put_back(HELD_S)
        lease = poll(lambda: _renewed(server), "read the Lease", SETTLED_S)
        poll(lambda: f"{address}/32" not in it.wire(), "withdrew what is forgotten", SETTLED_S)
        asked = f"explain/default/{lost}"
        poll(lambda: not it.controller.document(asked), "let the address go", SETTLED_S)
        later = it.add()
        assert it.announced(later) == address
        poll(lambda: _renewed(server) > lease, "renewed the Lease", SETTLED_S)
    for role in it.roles:
        assert "it was restored" in role.log.read_text("utf-8")
    it.remove(later)
