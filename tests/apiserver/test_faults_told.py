"""What is told of the configuration while the API server is at fault is told of the configuration alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.processes import (
    POOLS,
    STATES,
    RoleProcess,
    keyed,
    made,
    poll,
    pool,
    status_of,
)
from tests.apiserver.running import prepare
from tests.fakes.apiserver_thread import ModelServer

BEFORE_S = 3.0
"""Longer than there is between two reports."""
VIEWS = {"controller": "controller", "speaker": "speaker-n1"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """The model with a configuration that is well."""
    with ModelServer(tmp_path) as found:
        prepare(found)
        keyed(found)
        yield found


@pytest.fixture(params=VIEWS)
def role(server: ModelServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Either role, at work; gives the name of its view."""
    one = RoleProcess(server, request.param, tmp_path / "p", ("--node", "n1"))
    view = VIEWS[request.param]
    try:
        poll(lambda: result(server, view), "told")
        yield view
    finally:
        one.stop()


def result(server: ModelServer, view: str) -> str:
    """What a role says of the configuration; empty while it says nothing."""
    return str(status_of(server, f"{STATES}/{view}").get("result", ""))


def told_anew(server: ModelServer, view: str) -> str:
    """Take a view away; return what it says when it is back."""
    server.request("DELETE", f"{STATES}/{view}")
    return str(poll(lambda: result(server, view), "told again"))


def refuse_peers(server: ModelServer, status: int) -> None:
    """Refuse to list and watch peers from now on, and wait until that was noticed."""
    server.http.refused_path = "bgppeers"
    server.http.refusing = status, {}
    seen: list[None] = []
    server.http.on_request = lambda: seen.append(None)
    server.do(server.model.cut)
    poll(lambda: len(seen) > len(server.model.collections), "asked for everything again")


@pytest.mark.parametrize("status", [429, 500])
def test_a_passing_fault_makes_nothing_invalid(server: ModelServer, role: str, status: int) -> None:
    """While a kind cannot be watched for a moment, the configuration that is known is as valid as it was."""
    assert result(server, role) == "Valid"
    refuse_peers(server, status)
    assert told_anew(server, role) == "Valid"


def test_a_missing_right_is_told(server: ModelServer, role: str) -> None:
    """A kind that may not be read makes the view invalid, for somebody has to mend that."""
    refuse_peers(server, 403)
    poll(lambda: told_anew(server, role) == "Invalid", "told that peers may not be read")
    summary = status_of(server, f"{STATES}/{role}")["errorSummary"]
    assert "bgppeers.metallb.io" in summary


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_is_told_before_all_is_known(
    server: ModelServer, tmp_path: Path, name: str
) -> None:
    """A role that cannot read a faulty pool yet says nothing, then that it is faulty, and never another thing."""
    made(server, POOLS, pool("wrong", "192.0.2.1/32"))
    server.http.refused_path = "ipaddresspools"
    server.http.refusing = 429, {}
    one = RoleProcess(server, name, tmp_path / "p", ("--node", "n1"))
    try:
        poll(lambda: one.document("status"), "at work")
        time.sleep(BEFORE_S)
        assert _results(server) == set()
        server.http.refusing = None
        poll(lambda: result(server, VIEWS[name]), "told")
        assert _results(server) == {"Invalid"}
    finally:
        one.stop()


def _results(server: ModelServer) -> set[str]:
    """All that was ever told."""
    changes = server.do(lambda: list(server.model.history))
    states = [one.now for one in changes if one.collection.kind == "ConfigurationState" and one.now]
    return {one["status"]["result"] for one in states if one.get("status")}
