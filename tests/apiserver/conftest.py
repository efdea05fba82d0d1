"""One API server for all tests of this directory, with our definitions installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.publish.definitions import definitions
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.cluster import Cluster
from tests.apiserver.scenes import KINDS
from tests.fakes.apiserver_thread import ModelServer

NAMESPACE = "metallb-system"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ESTABLISHED_S = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here; the first may have to build the server."""
    for item in items:
        if "/apiserver/" in str(item.path):
            item.add_marker(pytest.mark.apiserver)
            item.add_marker(pytest.mark.timeout(1800))


def established(server: ApiServer, name: str) -> bool:
    """Tell whether a definition is served."""
    body = server.request("GET", f"{DEFINITIONS}/{name}").body
    conditions = body.get("status", {}).get("conditions") or []
    return any(
        condition["type"] == "Established" and condition["status"] == "True"
        for condition in conditions
    )


def wait_established(server: ApiServer, name: str) -> None:
    """Wait until a definition is served."""
    deadline = time.monotonic() + _ESTABLISHED_S
    while not established(server, name):
        assert time.monotonic() < deadline, name
        time.sleep(0.05)


def install(server: ApiServer, definition: dict[str, Any]) -> None:
    """Create a definition and wait until it is served."""
    answer = server.request("POST", DEFINITIONS, definition)
    assert answer.status == 201, answer.message
    wait_established(server, definition["metadata"]["name"])


@pytest.fixture(scope="session")
def real_server() -> Iterator[ApiServer]:
    """Run an API server that serves our kinds and has the configuration's namespace."""
    with ApiServer() as running:
        body = {"metadata": {"name": NAMESPACE}}
        assert running.request("POST", "/api/v1/namespaces", body).status == 201
        for definition in definitions():
            install(running, definition)
        yield running


@pytest.fixture(scope="session")
def server(real_server: ApiServer) -> ApiServer:
    """Give the real one to tests that do not say otherwise."""
    return real_server


@pytest.fixture(params=["model", "real"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Play a test against the model, and against what it is a model of."""
    if request.param == "real":
        yield request.getfixturevalue("real_server")
        return
    with ModelServer(tmp_path) as model:
        yield model


@pytest.fixture
def home(server: ApiServer) -> Iterator[str]:
    """Make a namespace; what was made in it is deleted, for others read the whole cluster."""
    made = server.request("POST", "/api/v1/namespaces", {"metadata": {"generateName": "home-"}})
    assert made.status == 201, made.message
    name = str(made.body["metadata"]["name"])
    yield name
    for kind in KINDS:
        if kind.namespaced:
            path = f"{kind.root}/namespaces/{name}/{kind.plural}"
            assert server.request("DELETE", path).status == 200
