"""Health checks of a role: settling, what is unknown, and memory over restarts and reboots."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from orchestrator.adapters.health_memory import HealthMemory
from orchestrator.model.virtual_ip import Check, ExecProbe, Health, VirtualIP
from orchestrator.roles.health_checks import HealthChecks

LIMIT_S = 30.0


def vip(name: str, *command: str) -> VirtualIP:
    """Make a VIP with a quick command check, or with none."""
    check = Check(ExecProbe(command), 50, 50, 5000, rise=2, fall=2) if command else None
    return VirtualIP(name, check=check)


def vips(*made: VirtualIP) -> dict[str, VirtualIP]:
    """Make a mapping by name."""
    return {one.name: one for one in made}


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario with a limit."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


async def while_running(checks: HealthChecks, condition: Callable[[], bool]) -> None:
    """Run the checks until `condition` holds."""
    running = asyncio.ensure_future(checks.run())
    for _ in range(int(LIMIT_S * 100)):
        if condition():
            break
        await asyncio.sleep(0.01)
    assert condition()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_settled_after_every_first_answer(tmp_path: Path) -> None:
    """Nothing is decided before each check has an answer; VIPs without one are not waited for."""

    async def scenario() -> None:
        wanted = vips(vip("a", "/bin/true"), vip("b", "/bin/false"), vip("c"))
        calls: list[None] = []
        checks = HealthChecks(tmp_path / "health.json", lambda: calls.append(None))
        checks.want(wanted)
        assert not checks.settled
        await while_running(checks, lambda: checks.settled)
        assert checks.health(wanted) == {"a": Health.UP, "b": Health.DOWN}
        assert checks.details() == {"a": "exit status 0", "b": "exit status 1"}
        assert len(calls) == 2

    run(scenario())


def test_no_checks_at_all_is_settled(tmp_path: Path) -> None:
    """Without checks there is nothing to wait for."""
    checks = HealthChecks(tmp_path / "health.json", lambda: None)
    checks.want(vips(vip("a")))
    assert checks.settled
    assert checks.health(vips(vip("a"))) == {}


def test_new_vip_is_down_until_checked(tmp_path: Path) -> None:
    """A VIP that comes later is down until its first answer, and the others are not held up."""
    checks = HealthChecks(tmp_path / "health.json", lambda: None)
    checks.want({})
    assert checks.settled
    later = vips(vip("a", "/bin/true"))
    checks.want(later)
    assert checks.settled
    assert checks.health(later) == {"a": Health.DOWN}


def test_restart_remembers(tmp_path: Path) -> None:
    """A successor knows the health at once, and does not flap."""

    async def scenario() -> None:
        path = tmp_path / "health.json"
        wanted = vips(vip("a", "/bin/true"))
        first = HealthChecks(path, lambda: None)
        first.want(wanted)
        await while_running(first, lambda: path.exists() and "up" in path.read_text())
        second = HealthChecks(path, lambda: None)
        second.want(wanted)
        assert second.settled
        assert second.health(wanted) == {"a": Health.UP}

    run(scenario())


def test_memory_does_not_outlive_a_reboot(tmp_path: Path) -> None:
    """After a reboot nothing is taken for healthy before it was checked."""
    boot = tmp_path / "boot_id"
    boot.write_text("first\n")
    path = tmp_path / "health.json"
    HealthMemory(path, boot).write({"a": Health.UP, "b": Health.DISABLED})
    assert HealthMemory(path, boot).read() == {"a": Health.UP, "b": Health.DISABLED}
    boot.write_text("second\n")
    assert HealthMemory(path, boot).read() == {}


def test_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    """A damaged file is as good as none."""
    path = tmp_path / "health.json"
    boot = HealthMemory(path)._boot
    for text in ("", "[", "[]", json.dumps({"boot": boot, "health": [1]})):
        path.write_text(text)
        assert HealthMemory(path).read() == {}
    path.write_text(json.dumps({"boot": boot, "health": {"a": "odd", "b": "up"}}))
    assert HealthMemory(path).read() == {"b": Health.UP}


def test_adding_a_check_to_a_vip_costs_no_route(tmp_path: Path) -> None:
    """A VIP that was there without a check is up until the first answer; a new one is down."""

    async def scenario() -> None:
        checks = HealthChecks(tmp_path / "health.json", lambda: None)
        checks.want(vips(vip("old")))
        assert checks.settled
        wanted = vips(vip("old", "/bin/false"), vip("new", "/bin/true"))
        checks.want(wanted)
        assert checks.health(wanted) == {"old": Health.UP, "new": Health.DOWN}
        expected = {"old": Health.DOWN, "new": Health.UP}
        await while_running(checks, lambda: checks.health(wanted) == expected)

    run(scenario())


def test_vip_that_was_away_is_down_until_its_check_answers(tmp_path: Path) -> None:
    """Only a VIP that is there right before its check is added counts as up without an answer."""

    async def scenario() -> None:
        checks = HealthChecks(tmp_path / "health.json", lambda: None)
        checks.want(vips(vip("old")))
        checks.want({})
        wanted = vips(vip("old", "/bin/true"))
        checks.want(wanted)
        assert checks.health(wanted) == {"old": Health.DOWN}

    run(scenario())
