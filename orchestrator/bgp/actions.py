"""What the conversation with ExaBGP asks its surroundings to do: values, not calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SendLine:
    """Write one command; the line end is added by the writer."""

    text: str


@dataclass(frozen=True, slots=True)
class WriteConfiguration:
    """Replace ExaBGP's configuration file, atomically and readable by the owner only."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close the connection and open it anew: what came makes no sense, so start over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The state of a session, or how far routes got, changed."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the log; `level` is a name such as `info`, `keys` its fields."""

    level: str
    text: str
    keys: Mapping[str, object] = field(default_factory=dict)


Action: TypeAlias = SendLine | WriteConfiguration | Reconnect | Changed | Note


def one_change(actions: list[Action]) -> list[Action]:
    """Leave only the first `Changed`: it says nothing more the second time."""
    changed = Changed()
    if changed not in actions:
        return actions
    first = actions.index(changed)
    return [one for at, one in enumerate(actions) if at == first or one != changed]
