"""The model of the API server answers like the real one, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.played import played, played_by_the_model
from tests.apiserver.scenes import SCENES
from tests.fakes.closing_loop import run_and_close


def forget(server: ApiServer) -> None:
    """Let the store forget what was, and the server with it."""
    server.compact()
    server.kill()
    server.start()


@pytest.mark.parametrize("name", SCENES)
def test_every_answer_is_alike(server: ApiServer, home: str, tmp_path: Path, name: str) -> None:
    """Each step has the same status, reason, objects and order of versions on both."""
    scene = SCENES[name]
    there = played(scene, server.kubeconfig, home, lambda: forget(server))
    real = run_and_close(there)
    model = run_and_close(played_by_the_model(scene, tmp_path, home))
    assert len(real) == len(model)
    for (step, wanted), (same, found) in zip(real, model, strict=True):
        assert same == step
        assert _text(found) == _text(wanted), step


def _text(seen: Any) -> str:
    return json.dumps(seen, indent=1, sort_keys=True)
