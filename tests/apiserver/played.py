"""Scenes of requests, played against a server or against the model of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.adapters.kube.access import Access
from tests.apiserver.play import Play
from tests.apiserver.scenes import KINDS, Scene
from tests.fakes.apiserver import FakeApiServer
from tests.fakes.apiserver_http import serving

Seen = list[tuple[str, Any]]


async def played(scene: Scene, kubeconfig: Path, home: str, forget: Callable[[], None]) -> Seen:
    """Play a scene in a namespace, as the user of a kubeconfig."""
    access = Access(kubeconfig)
    await access.open()
    try:
        play = Play(access, home, forget)
        await scene(play)
    finally:
        await access.close()
    return play.seen()


async def played_by_the_model(scene: Scene, directory: Path, home: str) -> Seen:
    """Play a scene against the model."""
    model = FakeApiServer(*KINDS)
    async with serving(model) as server:
        return await played(scene, server.kubeconfig(directory / "k"), home, model.compact)
