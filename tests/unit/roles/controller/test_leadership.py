"""The controller's Lease over HTTP, where the watch does not tell all that happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.kube.access import Access
from orchestrator.kube import lease
from orchestrator.kube.lease_object import NAME
from orchestrator.roles.controller.leadership import Leadership
from tests.fakes.apiserver import FakeApiServer
from tests.fakes.apiserver_http import serving
from tests.fakes.apiserver_kinds import LEASES
from tests.fakes.closing_loop import run_and_close
from tests.unit.adapters.probe_scene import eventually

HOME = "home"
PLACE = (HOME, NAME)
RENEW_S = 0.2
Story = Callable[[FakeApiServer, Leadership], Awaitable[None]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew and try again in tenths of seconds."""
    monkeypatch.setattr(lease, "RENEW_S", RENEW_S)
    monkeypatch.setattr(lease, "AGAIN_S", (0.05, 0.1))


def play(directory: Path, story: Story) -> None:
    """Play a story of a replica that leads."""

    async def whole() -> None:
        model = FakeApiServer(LEASES)
        async with serving(model) as server:
            access = Access(server.kubeconfig(directory / "kubeconfig"))
            await access.open()
            leadership = Leadership(access, HOME, "one", lambda: None)
            running = asyncio.ensure_future(leadership.run())
            try:
                await eventually(leadership.may_write)
                await story(model, leadership)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await access.close()

    run_and_close(whole())


def renewed(model: FakeApiServer) -> Any:
    """The time in the Lease; None where there is none."""
    found = model.get(LEASES, PLACE)
    return found and found["spec"]["renewTime"]


def mute(model: FakeApiServer) -> None:
    """Let the watches that are open say nothing any more, as those of a restored store."""
    model.watches.clear()


def test_a_lease_that_went_back_in_silence_is_renewed(tmp_path: Path) -> None:
    """A store that was put back with an older Lease, and whose watch does not say so, ends no leadership."""

    async def story(model: FakeApiServer, leadership: Leadership) -> None:
        mute(model)
        backup, before = model.snapshot(), renewed(model)
        await eventually(lambda: renewed(model) != before)
        model.restore(backup)
        await eventually(lambda: renewed(model) != before)
        assert leadership.may_write()

    play(tmp_path, story)


def test_a_lease_that_vanished_in_silence_is_made_anew(tmp_path: Path) -> None:
    """A Lease that somebody deleted, of which the watch has not told, is there again soon."""

    async def story(model: FakeApiServer, leadership: Leadership) -> None:
        mute(model)
        assert model.delete(LEASES, PLACE)
        await eventually(lambda: renewed(model) is not None)
        await eventually(leadership.may_write)
        assert leadership.holder.startswith("one_")

    play(tmp_path, story)
