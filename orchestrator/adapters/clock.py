"""The two clocks: monotonic for every decision, wall only for what people read."""

from __future__ import annotations

import datetime as dt
import time

from orchestrator.adapters.logs import rfc3339


def monotonic() -> float:
    """Seconds since some fixed moment; never jumps, whatever the wall clock does."""
    return time.monotonic()


def wall() -> str:
    """Return the time of day as RFC 3339 with milliseconds."""
    return rfc3339(time.time())


def wall_micros() -> str:
    """Return the time of day as Kubernetes' MicroTime: RFC 3339 with microseconds."""
    now = dt.datetime.now(dt.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wall_seconds() -> str:
    """Return the time of day as Kubernetes' Time: RFC 3339 with whole seconds."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall_of(moment: float) -> str:
    """Return the time of day at the monotonic `moment`, as far as the clocks agree now."""
    return rfc3339(time.time() - (time.monotonic() - moment))


def monotonic_of(text: str) -> float:
    """Return the monotonic moment of a time of day (RFC 3339), as far as the clocks agree now.

    Raises ValueError for what is no time.
    """
    return time.monotonic() - (time.time() - dt.datetime.fromisoformat(text).timestamp())
