"""Assignments remembered over a restart."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

from orchestrator.model.cluster import ServiceKey
from orchestrator.model.plan import Assignment, AssignmentState, Origin, Plan
from orchestrator.roles.memory import AssignmentMemory


def planned(*names: str, origin: Origin = Origin.KEPT, first: int = 1) -> Plan:
    """Make a plan in which each Service has an address, in the order of `names`."""
    return Plan(
        tuple(
            Assignment(
                ServiceKey("d", name),
                AssignmentState.ASSIGNED,
                (ip_address(f"192.0.2.{number}"),),
                "p",
                origin,
            )
            for number, name in enumerate(names, first)
        )
    )


def test_what_was_written_is_held_by_the_next(tmp_path: Path) -> None:
    """A new memory of the same file holds what the former wrote."""
    memory = AssignmentMemory(tmp_path / "a.json")
    memory.keep(planned("a", "b"))
    memory.write()
    assert AssignmentMemory(tmp_path / "a.json").held == memory.held
    assert set(memory.held) == {"d/a", "d/b"}


def test_held_follows_every_plan(tmp_path: Path) -> None:
    """Whatever came, went or moved between two plans, what is held is the last plan's."""
    memory = AssignmentMemory(tmp_path / "a.json")
    memory.keep(planned("gone before"))
    memory.write()
    memory = AssignmentMemory(tmp_path / "a.json")
    for plan in (
        planned("a", "b", "c"),
        planned("a", "c"),
        planned("a", "b", "c", first=7),
        planned(),
        planned("z"),
    ):
        memory.keep(plan)
        assert memory.held == {str(a.service): a.addresses for a in plan.assignments}


def test_only_addresses_drawn_anew_are_urgent(tmp_path: Path) -> None:
    """An address from a pool is to be on disk before it is seen; one that was asked for is not."""
    memory = AssignmentMemory(tmp_path / "a.json")
    assert not memory.draws(planned("a", origin=Origin.REQUESTED))
    drawn = planned("a", origin=Origin.AUTOMATIC)
    assert memory.draws(drawn)
    memory.keep(drawn)
    assert not memory.draws(planned("a", origin=Origin.AUTOMATIC))


async def _kept_until_cancelled(memory: AssignmentMemory) -> None:
    running = asyncio.create_task(memory.run())
    await asyncio.sleep(0)
    memory.keep(planned("a"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_what_is_unwritten_at_the_stop_is_written(tmp_path: Path) -> None:
    """A stop right after a change loses nothing."""
    memory = AssignmentMemory(tmp_path / "a.json")
    asyncio.run(_kept_until_cancelled(memory))
    assert AssignmentMemory(tmp_path / "a.json").held == memory.held
    assert memory.held


def test_a_failed_write_is_told_and_tried_again(tmp_path: Path) -> None:
    """`error` says why; it is gone after a later attempt succeeded."""
    memory = AssignmentMemory(tmp_path / "none" / "a.json")
    memory.keep(planned("a"))
    memory.write()
    assert memory.error is not None
    (tmp_path / "none").mkdir()
    memory.write()
    assert memory.error is None
