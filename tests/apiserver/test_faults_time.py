"""Clocks that jump, outages that last, writes that come late: nothing moves, and nobody is stormed."""

from __future__ import annotations

import ipaddress
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.apiserver.processes import (
    LEASES,
    SERVICES,
    SLICES,
    STATES,
    RoleProcess,
    endpoint,
    give,
    made,
    poll,
    service,
    status_of,
)
from tests.apiserver.running import SETTLED_S, nothing_moves, prepare, running
from tests.fakes.apiserver_http import HOST
from tests.fakes.apiserver_thread import ModelServer
from tests.lab.polling import require

LIBFAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
LEASE = f"{LEASES}/orchestrator-controller"
OUTAGE_S = 20.0
BEGINNING_S = 2.0
"""Requests that are under way when it begins come at once, before any of them has failed."""
NEAR_S = 600.0
MANY = 2_000
VIEWS = {"controller": "controller", "speaker": "speaker-n1"}
"""What each role tells of the configuration in."""
Outage = Callable[[ModelServer], list[float]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """The model with a pool, a peer and a node."""
    with ModelServer(tmp_path) as found:
        prepare(found, "192.0.0.0/20")
        yield found


def test_clock_steps(server: ModelServer, tmp_path: Path) -> None:
    """The time of day jumps an hour ahead and two back: the Lease is held on, routes stay, all goes on."""
    require("faketime")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    settings = {
        "LD_PRELOAD": str(LIBFAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    under = ("env", *(f"{key}={value}" for key, value in settings.items()))
    with running(server, tmp_path / "roles", *under) as it, nothing_moves(it):
        began = _renewed(server)
        for step, hours in (("+3600", 1), ("-3600", -1)):
            clock.write_text(step)
            late = it.add()
            it.announced(late)
            _wait_for_renewal(server, began + hours * 3600)
        lease = server.request("GET", LEASE).body["spec"]
        assert lease["leaseTransitions"] == 0
        assert "not leading" not in it.controller.log.read_text("utf-8")


def _wait_for_renewal(server: ModelServer, at: float) -> None:
    poll(lambda: abs(_renewed(server) - at) < NEAR_S, "renewed")


def _renewed(server: ModelServer) -> float:
    """When the Lease was renewed, by the clock of its holder (s)."""
    text = server.request("GET", LEASE).body["spec"]["renewTime"]
    return datetime.fromisoformat(text).timestamp()


class Away:
    """Somebody who drops every connection to a port at once, and notes when each came."""

    def __init__(self, port: int) -> None:
        self.times: list[float] = []
        self._socket = socket.create_server((HOST, port), reuse_port=False)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.times.append(time.monotonic())
            connection.close()

    def close(self) -> None:
        """Listen no longer."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5.0)


def dropped(server: ModelServer) -> list[float]:
    """Drop every connection for a while; return when each request came."""
    server.kill()
    away = Away(server.http.port)
    time.sleep(OUTAGE_S)
    away.close()
    server.start()
    return away.times


def refused(server: ModelServer) -> list[float]:
    """Answer 503 to every request for a while; return when each came."""
    times: list[float] = []
    server.http.on_request = lambda: times.append(time.monotonic())
    server.http.refusing = (503, {})
    server.do(server.model.cut)
    time.sleep(OUTAGE_S)
    server.http.refusing = None
    return list(times)


def test_few_requests_in_an_outage(tmp_path: Path) -> None:
    """Each role asks less than once a second on average, and not at regular times; then all is well."""
    cases = [(outage, role) for outage in (dropped, refused) for role in VIEWS]
    with ExitStack() as stack:
        servers = [
            _at_work(stack, tmp_path / f"{role}-{outage.__name__}", role) for outage, role in cases
        ]
        with ThreadPoolExecutor(len(cases)) as threads:
            outages = [threads.submit(one[0], on) for one, on in zip(cases, servers, strict=True)]
        for (_, role), server in zip(cases, servers, strict=True):
            server.request("DELETE", _view(role))
            _wait_for_view(server, role)
    for case, outage in zip(cases, outages, strict=True):
        times = outage.result()
        later = [one for one in times if one > times[0] + BEGINNING_S]
        assert 1 < len(later) < OUTAGE_S - BEGINNING_S, (case, times)
        pauses = [after - before for before, after in pairwise(later)]
        assert statistics.pstdev(pauses) > 0.05, (case, times)


def _view(role: str) -> str:
    return f"{STATES}/{VIEWS[role]}"


def _wait_for_view(server: ModelServer, role: str) -> None:
    poll(lambda: status_of(server, _view(role)), f"told of its view by the {role}")


def _at_work(stack: ExitStack, directory: Path, role: str) -> ModelServer:
    """Run one role on a model of its own, until it has told of its view."""
    directory.mkdir()
    server = stack.enter_context(ModelServer(directory))
    prepare(server)
    one = RoleProcess(server, role, directory / "p", ("--node", "n1"))
    stack.callback(one.stop)
    _wait_for_view(server, role)
    return server


def test_a_mass_relist(server: ModelServer, tmp_path: Path) -> None:
    """All watches expire while there are thousands of Services: none is written anew, and life goes on."""
    for number in range(MANY):
        name = f"s{number:04}"
        made(server, SERVICES, service(name))
        give(server, name, str(ipaddress.IPv4Address("192.0.0.0") + number))
    with running(server, tmp_path / "roles") as it:
        poll(lambda: _marked(server) == MANY + 1, "all marked with their pool", SETTLED_S)
        with nothing_moves(it):
            before = len(_written(server))
            server.do(server.model.compact)
            server.do(server.model.cut)
            late = it.add()
            it.announced(late)
            assert set(_written(server)[before:]) == {f"{SERVICES}/{late}/status"}


def _marked(server: ModelServer) -> int:
    """How many Services say of which pool their address is."""
    mark = "metallb.io/ip-allocated-from-pool"
    items = server.request("GET", SERVICES).body["items"]
    return sum(mark in item["metadata"].get("annotations", {}) for item in items)


def _written(server: ModelServer) -> list[str]:
    """Paths of all writes to Services so far."""
    return [one.path for one in list(server.http.writes) if one.path.startswith(SERVICES)]


def test_a_write_that_came_late(server: ModelServer, tmp_path: Path) -> None:
    """An address that a late write gave to a second Service is taken from the younger again."""
    with running(server, tmp_path / "roles") as it, nothing_moves(it, "second"):
        address = it.given(it.first)
        made(server, SERVICES, service("second"))
        poll(lambda: it.given("second"), "given an address")
        give(server, "second", address)
        poll(lambda: it.given("second") not in ("", address), "given another one")
        made(server, SLICES, endpoint("second"))
        other = it.announced("second")
        assert (it.given(it.first), other != address) == (address, True)
