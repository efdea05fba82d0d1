"""Every scenario file, played on the pure core."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.pure import PureWorld
from tests.scenarios.script import EXPECTATIONS, read, scenarios


@pytest.mark.parametrize("path", scenarios(), ids=lambda path: path.stem)
def test_plan_follows_the_story(path: Path) -> None:
    """After each step the plan and the problems are those that the file tells."""
    PureWorld(read(path)).play()


@pytest.mark.parametrize("path", scenarios(), ids=lambda path: path.stem)
def test_scenario_uses_all_of_its_files(path: Path) -> None:
    """A scenario writes every file it has, and expects something after it wrote the last one."""
    scenario = read(path)
    written = {step.words[0] for step in scenario.steps if step.verb == "write"}
    assert written == set(scenario.files)
    assert scenario.steps[-1].verb in EXPECTATIONS
