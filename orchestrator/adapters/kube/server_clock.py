"""The time of day at the API server: what nodes told is old or not by one clock, whoever asks."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from orchestrator.adapters import clock
from orchestrator.adapters.kube.access import FAILURES, Access

_PATH = "/version"
"""Any answer to any question would do, a refusal too."""


async def server_now(access: Access) -> float:
    """Return the server's time of day as a moment of this host's monotonic clock (seconds).

    It is that of the header `Date` (RFC 9110, 6.6.1), in whole seconds; without one, now.
    """
    try:
        async with access.exchange("GET", _PATH) as response:
            told = response.headers["Date"]
        return clock.monotonic_of(parsedate_to_datetime(told).isoformat())
    except (*FAILURES, KeyError, ValueError):
        return clock.monotonic()
