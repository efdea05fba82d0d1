"""The runner of all checks of a role: many at once, changed, gone, without a leak."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from orchestrator.adapters.probes import CheckRunner
from orchestrator.health.actions import HealthChanged
from orchestrator.model.virtual_ip import Check, ExecProbe, Health, HttpProbe, TcpProbe
from tests.unit.adapters.probe_scene import (
    HANG,
    HOST,
    eventually,
    gone,
    result_of,
    run,
    says,
    server,
    written,
)


def fast(probe: HttpProbe | TcpProbe | ExecProbe, disable_file: str | None = None) -> Check:
    """Make a check that is quick enough for a test."""
    return Check(probe, 50, 50, 5000, rise=2, fall=2, disable_file=disable_file)


@asynccontextmanager
async def checks(runner: CheckRunner) -> AsyncIterator[None]:
    """Run the checks."""
    running = asyncio.ensure_future(runner.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_three_hundred_checks_without_threads() -> None:
    """300 checks of three types in one process find every state, with no thread more."""

    async def scenario() -> None:
        changes: list[HealthChanged] = []
        async with server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
            wanted: dict[str, Check] = {}
            for number in range(100):
                wanted[f"http{number}"] = Check(HttpProbe(HOST, port), 500, 500)
                wanted[f"tcp{number}"] = Check(TcpProbe(HOST, port), 500, 500)
                wanted[f"exec{number}"] = Check(ExecProbe(("/bin/false",)), 5000, 5000, 10000)
            runner = CheckRunner(changes.append)
            runner.want(wanted)
            before = threading.active_count()
            async with checks(runner):
                await eventually(lambda: len(runner.health()) == 300)
                assert threading.active_count() == before
        for name, health in runner.health().items():
            assert health is (Health.DOWN if name.startswith("exec") else Health.UP)
        assert len(changes) == 300

    run(scenario())


def test_service_that_goes_and_comes(tmp_path: Path) -> None:
    """A check follows its service down and up, and the disable file besides."""
    there, disable = tmp_path / "there", tmp_path / "disable"
    there.touch()

    async def scenario() -> None:
        changes: list[tuple[Health | None, Health]] = []
        runner = CheckRunner(lambda change: changes.append((change.old, change.new)))
        command = ExecProbe(("/usr/bin/test", "-e", str(there)))
        runner.want({"a": fast(command, str(disable))})
        async with checks(runner):
            await eventually(lambda: runner.health() == {"a": Health.UP})
            there.unlink()
            await eventually(lambda: runner.health() == {"a": Health.DOWN})
            there.touch()
            await eventually(lambda: runner.health() == {"a": Health.UP})
            disable.touch()
            await eventually(lambda: runner.health() == {"a": Health.DISABLED})
            disable.unlink()
            await eventually(lambda: runner.health() == {"a": Health.UP})
            runner.want({})
            assert runner.health() == {}
        up, down, disabled = Health.UP, Health.DOWN, Health.DISABLED
        assert changes == [(None, up), (up, down), (down, up), (up, disabled), (disabled, up)]

    run(scenario())


def descriptors() -> int:
    """Count the open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_leaked() -> None:
    """Many commands, good and hung, leave no descriptor open."""

    async def scenario() -> None:
        await result_of(ExecProbe(("/bin/true",)), 5)
        before = descriptors()
        for _ in range(10):
            await result_of(ExecProbe(("/bin/true",)), 5)
            await result_of(ExecProbe(("/bin/sleep", "100")), 0.05)
        await eventually(lambda: descriptors() <= before)

    run(scenario())


def test_changed_check_ends_the_command_of_the_old_one(tmp_path: Path) -> None:
    """When a check changes or goes, its hung command is killed at once and reports nothing."""
    hung = Check(ExecProbe(("/bin/sh", "-c", HANG.format(tmp_path))), 50, 50, 1_000_000)

    async def scenario() -> None:
        runner = CheckRunner(lambda _: None)
        runner.want({"a": hung})
        async with checks(runner):
            await eventually(lambda: written(tmp_path / "child"))
            runner.want({"a": fast(ExecProbe(("/bin/true",)))})
            await eventually(lambda: runner.health() == {"a": Health.UP})
            for name in ("child", "grandchild"):
                await gone(tmp_path / name)

    run(scenario())
