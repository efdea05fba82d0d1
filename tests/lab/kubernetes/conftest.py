"""One cluster for all tests of this directory, whose roles have the rights of the manifests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from tests.apiserver.accounts import Accounts
from tests.lab.conftest import children
from tests.lab.harness import poll, require
from tests.lab.kubernetes.scene import PROGRAMS, Scene
from tests.unit.deploy.manifests import CONTROLLER, SPEAKER


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, and put them last: their cluster must not run beside all others.

    The first may have to build Kubernetes' programs.
    """
    ours = [item for item in items if "/lab/kubernetes/" in str(item.path)]
    for item in ours:
        item.add_marker(pytest.mark.lab)
        item.add_marker(pytest.mark.apiserver)
        item.add_marker(pytest.mark.timeout(1800))
    items[:] = [item for item in items if item not in set(ours)] + ours


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a cluster with a session of each node and family."""
    before = children()
    require(*PROGRAMS)
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        Accounts(running.server)
        running.start({"controller": CONTROLLER, "speaker": SPEAKER})
        for one in objects.peers():
            running.apply(one)
        running.wait("six sessions", lambda: len(running.router.established()) == 6)
        yield running
    poll(lambda: not children() - before, 10, "processes of the cluster to end")


@pytest.fixture(autouse=True)
def _nothing_left() -> None:
    """Roles that a test starts anew belong to the cluster, which ends them all."""


@pytest.fixture
def workdir(cluster: Cluster) -> Path:
    """Directory of the cluster's logs, which are shown when the test fails."""
    return cluster.workdir


@pytest.fixture
def scene(cluster: Cluster, workdir: Path) -> Iterator[Scene]:
    """The cluster with pools and advertisements, and without any Service."""
    del workdir
    made = Scene(cluster)
    made.set_up()
    yield made
    made.sweep()
