"""What a BGP backend reports: the state of sessions and of every route in them."""

from __future__ import annotations

from dataclasses import dataclass
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
    """One session; `since` is when `status` began (seconds of the clock given as `now`)."""

    peer: str
    status: SessionStatus
    since: float
    last_error: str | None = None
    desired: int = 0
    sent: int = 0
    flushed: int = 0
