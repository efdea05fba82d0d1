"""What a BGP backend reports: the state of sessions and of every route in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class SessionStatus(Enum):
    """State of a BGP session as far as it is known; `UNKNOWN` while the backend is unreachable."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class RouteStatus(Enum):
    """How far a route got: wanted, written to the backend, written to the peer's socket."""

    DESIRED = "desired"
    SENT = "sent"
    FLUSHED = "flushed"


@dataclass(frozen=True, slots=True)
class SessionState:
    """One session; `since` is when `status` began (seconds of the clock given as `now`).

    `updates` counts UPDATEs that reached the peer's socket; `settled`: nothing waits to be sent or
    flushed, withdraws neither.
    """

    peer: str
    status: SessionStatus
    since: float
    last_error: str | None = None
    desired: int = 0
    sent: int = 0
    flushed: int = 0
    updates: int = field(default=0, kw_only=True)
    settled: bool = field(default=True, kw_only=True)
