"""docs/troubleshooting.md shows what a real cluster shows of each usual mistake, and that names the cause.

With ORCHESTRATOR_WRITE_DOCS=1 what the page shows is written anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.kube_cluster import Cluster
from orchestrator.lab.kube_topology import NODES
from orchestrator.model.cluster import EXCLUDE_LABEL
from tests.apiserver.plugin import environment
from tests.lab.harness import poll, steady
from tests.lab.kubernetes.mistakes import MISTAKES, Mistake, unbind
from tests.lab.kubernetes.scene import Scene
from tests.lab.kubernetes.shown import shown

PAGE = Path(__file__).parents[3] / "docs" / "troubleshooting.md"
WRITE = "ORCHESTRATOR_WRITE_DOCS"
EVENTS = "/api/v1/namespaces/default/events"
SESSIONS = 6


@pytest.fixture
def bare(cluster: Cluster, workdir: Path) -> Iterator[Cluster]:
    """The cluster with its peers and nothing else; what a mistake changed is mended afterwards."""
    del workdir
    cluster.request("DELETE", EVENTS)
    try:
        yield cluster
    finally:
        unbind(cluster)
        for name in NODES:
            cluster.patch("Node", name, {"metadata": {"labels": {EXCLUDE_LABEL: None}}})
        for one in objects.peers():
            cluster.apply(one)
        Scene(cluster).sweep()
        cluster.wait("all sessions", lambda: len(cluster.router.established()) == SESSIONS)


@pytest.fixture
def kubectl(cluster: Cluster, tmp_path: Path) -> dict[str, str]:
    """The environment of a kubectl with the plugin."""
    return environment(tmp_path, cluster.server.kubeconfig)


def place(name: str) -> re.Pattern[str]:
    """Where the page shows a mistake."""
    return re.compile(rf"(<!-- shown: {name} -->\n```console\n)(.*?)(\n```\n)", re.DOTALL)


def seen(mistake: Mistake, kubectl: Mapping[str, str]) -> str:
    """What there is to be seen, which has to name the cause."""
    for command, words in mistake.words.items():
        found = shown([command], kubectl)
        for word in words:
            assert word in found, f"{word!r} is not in {found}"
    return shown(list(mistake.words), kubectl)


def write(name: str, mistake: Mistake, kubectl: Mapping[str, str]) -> None:
    """Write into the page what is shown once that names the cause and stays."""
    poll(lambda: seen(mistake, kubectl), 60, f"{name} to be shown")
    steady(lambda: seen(mistake, kubectl), 5)
    text, page = seen(mistake, kubectl), PAGE.read_text("utf-8")
    PAGE.write_text(place(name).sub(lambda m: m[1] + text + m[3], page), encoding="utf-8")


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_shown_of_a_mistake(bare: Cluster, kubectl: dict[str, str], name: str) -> None:
    """Service, Events, columns and `explain` name the cause, in the words that the page shows."""
    mistake = MISTAKES[name]
    mistake.make(bare)
    if os.environ.get(WRITE):
        write(name, mistake, kubectl)
    found = place(name).search(PAGE.read_text("utf-8"))
    assert found is not None, f"docs/troubleshooting.md has no place for {name}"
    written = found[2]

    def same() -> bool:
        assert seen(mistake, kubectl) == written
        return True

    poll(same, 60, f"{name} to be shown as in docs/troubleshooting.md ({WRITE}=1 writes it anew)")


def test_the_page_shows_every_mistake_once() -> None:
    """What the page shows is what is tried, in the same order."""
    names = re.findall(r"<!-- shown: (\S+) -->", PAGE.read_text("utf-8"))
    assert names == list(MISTAKES)
