"""A drain by command or by annotation: begun, moved on, ended, and taken up after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.model.local import DrainPhase
from orchestrator.planner.draining import Asked
from orchestrator.roles import drain
from orchestrator.roles.drain import Drain

SINCE = "2026-01-01T00:00:00Z"


def phase_of(made: Drain) -> DrainPhase:
    """How far it is now."""
    return made.phase


def play(tmp_path: Path, story: Callable[[Drain], Awaitable[None]]) -> None:
    """Play a story with a drain of its own."""

    async def whole() -> None:
        await story(Drain(tmp_path / "drain.json", lambda: None))

    asyncio.run(whole())


def test_an_annotation_drains_and_its_end_ends_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Routes are made unattractive at once, withdrawn after a while, and come back when it goes."""
    monkeypatch.setattr(drain, "DEFAULT_WAIT_S", 0.05)

    async def story(made: Drain) -> None:
        made.follow(None)
        assert phase_of(made) is DrainPhase.NONE
        made.follow(Asked(SINCE))
        assert (phase_of(made), made.since) == (DrainPhase.DEPRIORITISED, SINCE)
        for _ in range(200):
            made.follow(Asked(SINCE))
            if phase_of(made) is DrainPhase.WITHDRAWN:
                break
            await asyncio.sleep(0.01)
        assert phase_of(made) is DrainPhase.WITHDRAWN
        made.follow(None)
        assert (phase_of(made), made.since) == (DrainPhase.NONE, None)

    play(tmp_path, story)


def test_a_command_is_not_ended_by_a_missing_annotation(tmp_path: Path) -> None:
    """Who drained a node by command takes that back by command."""

    async def story(made: Drain) -> None:
        await made.drain({"wait": "1000"})
        made.follow(None)
        assert phase_of(made) is DrainPhase.DEPRIORITISED
        await made.undrain({})
        assert phase_of(made) is DrainPhase.NONE

    play(tmp_path, story)


def test_a_restart_takes_it_up_and_still_ends_it(tmp_path: Path) -> None:
    """A drain by annotation outlives the process, and ends when the annotation has gone meanwhile."""

    async def begins(made: Drain) -> None:
        made.follow(Asked(SINCE))

    async def goes_on(made: Drain) -> None:
        made.resume()
        assert (phase_of(made), made.since) == (DrainPhase.DEPRIORITISED, SINCE)
        made.follow(None)
        assert phase_of(made) is DrainPhase.NONE

    play(tmp_path, begins)
    play(tmp_path, goes_on)


def test_the_node_says_how_long_to_wait(tmp_path: Path) -> None:
    """With a wait of its own a Node's routes are withdrawn after that, and not after the usual one."""

    async def story(made: Drain) -> None:
        made.follow(Asked(SINCE, 0.0))
        assert phase_of(made) is DrainPhase.DEPRIORITISED
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert phase_of(made) is DrainPhase.WITHDRAWN

    play(tmp_path, story)
