"""Scenario files that say `lab`, played on `orchestrator run` with FRR as router."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab.runner import Lab, LabError, check_host
from tests.lab.harness import lacking
from tests.scenarios.real import RealWorld, make_lab
from tests.scenarios.script import read, scenarios

pytestmark = pytest.mark.lab

SHOWN_CHARACTERS = 6000
"""How much of the end of each log a failure shows."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all scenarios: making it takes longer than playing one."""
    try:
        check_host()
    except LabError as error:
        lacking(str(error))
    with make_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.mark.parametrize(
    "path", [one for one in scenarios() if read(one).lab], ids=lambda path: path.stem
)
def test_routers_follow_the_story(path: Path, lab: Lab) -> None:
    """After each step the routers hold the routes, and the appliances say what the file tells."""
    directory = lab.workdir / path.stem[:8]
    try:
        with RealWorld(read(path), lab, directory) as world:
            world.play()
    except AssertionError as error:
        for log in sorted(directory.rglob("*.log")):
            error.add_note(f"{log.name}:\n{log.read_text('utf-8', 'replace')[-SHOWN_CHARACTERS:]}")
        raise
