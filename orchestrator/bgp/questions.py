"""Commands under way to ExaBGP, and the questions among them that must be alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.bgp.actions import Note
from orchestrator.bgp.adj_rib_out import AdjRibOut
from orchestrator.bgp.events import ConfigurationLine, Event
from orchestrator.bgp.lines import Line
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


def end_taken(rib: AdjRibOut, family: Family, ok: bool, now: float) -> None:
    """Take note that ExaBGP was given an End-of-RIB."""
    del ok, now
    rib.end_taken(family)
