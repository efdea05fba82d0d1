"""How long plans take, and how long changes take to be on the wire, as histograms for metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Histogram

from orchestrator.model.session_state import SessionState

_PLAN_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
_FLUSHED_S = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


def plan_seconds() -> Histogram:
    """Make a histogram of the seconds that a plan takes, with handing it on."""
    text = "time a plan took, and handing it on"
    return Histogram("orchestrator_plan_seconds", text, registry=None, buckets=_PLAN_S)


class Flushing:
    """Seconds from a change until every session that is up has all that follows from it on the wire.

    Changes that come before that are part of the first: the time goes on.
    """

    def __init__(self) -> None:
        self.seconds = Histogram(
            "orchestrator_change_to_flushed_seconds",
            "from a change of objects or sessions until all routes that follow are on the wire",
            registry=None,
            buckets=_FLUSHED_S,
        )
        self._since: float | None = None

    def begin(self, since: float, sessions: Iterable[SessionState]) -> None:
        """Take it that a change of that moment was planned and handed on; it may change no route."""
        if self._since is None and not _settled(sessions):
            self._since = since

    def look(self, sessions: Iterable[SessionState], now: float) -> None:
        """Note at `now` how far routes got."""
        if self._since is not None and _settled(sessions):
            self.seconds.observe(now - self._since)
            self._since = None


def _settled(sessions: Iterable[SessionState]) -> bool:
    return all(one.settled for one in sessions)
