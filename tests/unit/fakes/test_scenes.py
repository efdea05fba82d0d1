"""The model of the API server answers every step of the scenes as the real one was seen to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apiserver.played import played_by_the_model
from tests.apiserver.scenes import SCENES
from tests.fakes.closing_loop import run_and_close


@pytest.mark.parametrize("name", SCENES)
def test_every_status_is_the_wanted_one(tmp_path: Path, name: str) -> None:
    """No step has another status than the scene wants, which the real server was held to."""
    seen = run_and_close(played_by_the_model(SCENES[name], tmp_path, "home"))
    assert seen
