"""Roles that are killed at some of their writes to a real API server: no address moves, no route goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.apiserver import Answer, ApiServer
from tests.apiserver import test_kills_controller as controller
from tests.apiserver import test_kills_speaker as speaker
from tests.apiserver.kills import Death, Moment, Play
from tests.apiserver.processes import addresses, sweep
from tests.fakes.apiserver_proxy import ApiServerProxy
from tests.fakes.exabgp_relay import ServedExaBGP

OF_THE_CONTROLLER = [(2, Moment.DONE), (5, Moment.COMING), (7, Moment.DONE), (9, Moment.COMING)]
OF_THE_SPEAKER = [(1, Moment.DONE), (4, Moment.DONE), (7, Moment.COMING)]


class Proxied:
    """A real server that roles reach through a proxy, and the test directly."""

    def __init__(self, server: ApiServer, proxy: ApiServerProxy) -> None:
        self._server = server
        self.proxy = proxy
        self.kubeconfig = proxy.kubeconfig
        self.kill = server.kill
        self.start = server.start

    def request(self, method: str, path: str, body: Any = None, kind: str = "json") -> Answer:
        """Send a request."""
        return self._server.request(method, path, body, kind)


@pytest.fixture
def server(real_server: ApiServer, tmp_path: Path) -> Iterator[Proxied]:
    """A real server behind a proxy."""
    try:
        with ApiServerProxy(real_server.kubeconfig, tmp_path) as proxy:
            yield Proxied(real_server, proxy)
    finally:
        sweep(real_server)


@pytest.mark.parametrize(("number", "moment"), OF_THE_CONTROLLER)
def test_the_controller(server: Proxied, tmp_path: Path, number: int, moment: Moment) -> None:
    """What had an address keeps it, a Service gets one, and the next one gets it after that."""
    controller.prepare(server)
    death = Death(number, moment)
    server.proxy.witness = death
    it = Play(server, "controller", tmp_path / "c", death, "--node", "c")
    try:
        controller.story(server, it)
    finally:
        it.role.stop()
    assert death.done
    assert addresses(server) == {"old": ["192.0.2.1"], "next": ["192.0.2.0"]}
    assert max(controller.events(server).values()) <= 2


@pytest.mark.parametrize(("number", "moment"), OF_THE_SPEAKER)
def test_the_speaker(server: Proxied, tmp_path: Path, number: int, moment: Moment) -> None:
    """Each route comes once and stays until its Service goes."""
    speaker.prepare(server)
    death = Death(number, moment)
    server.proxy.witness = death
    with ServedExaBGP(tmp_path / "n1" / "r") as exabgp:
        it = Play(server, "speaker", tmp_path / "n1", death, "--node", "n1")
        try:
            speaker.story(server, exabgp, it)
        finally:
            it.role.stop()
        speaker.check(exabgp)
    assert death.done
