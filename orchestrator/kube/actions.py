"""What a reflector wants done, and what it has to tell, as values (DESIGN 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from orchestrator.kube.wire import Key, RawObject


@dataclass(frozen=True, slots=True)
class Open:
    """Ask the server; `stream`: what comes is passed on as it comes."""

    request: int
    path: str
    query: tuple[tuple[str, str], ...]
    stream: bool


@dataclass(frozen=True, slots=True)
class Close:
    """Give a request up."""

    request: int


@dataclass(frozen=True, slots=True)
class RenewCredentials:
    """Read the credentials again: the server did not take them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Objects that came or changed, and the names of those that are gone, all at once.

    What came and went in between is named as gone though nobody was told that it came. `complete`: by this everything that the server has is known.
    """

    objects: tuple[RawObject, ...]
    gone: tuple[Key, ...]
    complete: bool


class Trouble(Enum):
    """What keeps a resource from being known, in a word for metrics."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "notServed"
    BUSY = "busy"
    SERVER_ERROR = "serverError"
    REFUSED = "refused"
    GARBLED = "garbled"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something is wrong, in words for an operator; None when all is well again."""

    trouble: Trouble | None
    message: str = ""


Action = Open | Close | RenewCredentials | Changed | Troubled
