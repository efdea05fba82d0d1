"""Fixtures of lab tests: a directory whose logs are shown on failure, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab.runner import Lab, LabError, check_host
from tests.lab.harness import joined, lacking, poll
from tests.lab.polling import IN_LONG


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the long tests unless they are asked for."""
    if IN_LONG:
        return
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip("long: set ORCHESTRATOR_LONG=1"))


@pytest.fixture(autouse=True, scope="session")
def _host() -> None:
    """Lab tests need root and namespaces."""
    try:
        check_host()
    except LabError as error:
        lacking(str(error))


def children() -> set[int]:
    """Pids of processes that this one has started and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = entry.joinpath("stat").read_text("utf-8", "replace")
            except OSError:
                continue
            state, parent = text.rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.add(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """No process that a test started, and so no namespace, outlives it."""
    before = children()
    yield
    poll(lambda: not children() - before, 10, "processes started by the test to end")


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """Directory of the test; every *.log below it is shown when the test fails."""
    return tmp_path


@pytest.fixture
def pair(workdir: Path) -> Iterator[Lab]:
    """Two nodes `r` (10.0.0.1, fd00::1) and `a` (10.0.0.2, fd00::2), joined on their eth1."""
    with joined(workdir, "r", "a") as lab:
        yield lab
