"""Commands under way to ExaBGP, and the questions among them that must be alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from orchestrator.bgp import command
from orchestrator.bgp.actions import Note
from orchestrator.bgp.adj_rib_out import AdjRibOut
from orchestrator.bgp.events import ConfigurationLine, Event
from orchestrator.bgp.lines import Line
from orchestrator.bgp.reload import Reload, Step
from orchestrator.model.address import Family, IPAddress

Answered: TypeAlias = Callable[[bool, float], None]
"""Takes whether the answer was `done`, and the time."""


@dataclass(slots=True)
class Asked:
    """A command under way: a line of routes, or a question with what its end means."""

    line: Line | None = None
    rib: AdjRibOut | None = None
    done: Answered | None = None
    lines: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """A command that must be alone, what its answer is for, and what the log hears of it."""

    text: str
    done: Answered
    note: Note | None = None


def digests(lines: list[Event]) -> dict[IPAddress, str]:
    """Read the answer to `show neighbor configuration`: each neighbor's description."""
    found: dict[IPAddress, str] = {}
    address: IPAddress | None = None
    for one in lines:
        if isinstance(one, ConfigurationLine):
            address = one.neighbor or address
            if address is not None:
                found[address] = one.description or found.get(address, "")
    return found


def about_reload(reload: Reload, unflushed: Iterable[AdjRibOut]) -> Question | None:
    """Ask for a reload if it is due; first for the end of the session that keeps it from happening."""
    blocking = next(iter(unflushed), None)
    if reload.step is Step.TEARDOWN and blocking is not None:
        text = "a peer does not take its routes and keeps a reload from happening: reset"
        note = Note("warning", text, {"peer": str(blocking.link.address)})
        torn = command.teardown(blocking.link)
        return Question(torn, lambda _ok, now: reload.torn_down(now), note)
    if reload.step in {Step.TEARDOWN, Step.RELOAD}:
        return Question(command.RELOAD, lambda _ok, _now: reload.reloaded())
    return None


def about_ends(ribs: Iterable[AdjRibOut]) -> Question | None:
    """Ask for the first End-of-RIB that is due."""
    for rib in ribs:
        for family in rib.ends_due():
            done = partial(_end_taken, rib, family)
            return Question(command.end_of_rib(rib.link, family), done)
    return None


def _end_taken(rib: AdjRibOut, family: Family, ok: bool, now: float) -> None:
    """Take note that ExaBGP was given an End-of-RIB."""
    del ok, now
    rib.end_taken(family)
