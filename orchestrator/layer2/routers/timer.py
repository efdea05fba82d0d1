"""The one timer of a virtual router, in float seconds: whole centiseconds would lose short skews.

It is the down timer of a Backup, the advert timer of a Master, and the end of handing over.
"""

from __future__ import annotations

from orchestrator.model.virtual_router import VirtualRouter

HAND_OVER_S = 1.0
"""Longest time that a router which stops goes on answering when no successor is heard."""
_STEPS = 256
"""Skew and phases are counted in 256ths."""


def advert_interval_s(router: VirtualRouter) -> float:
    """Return the time between adverts of this router itself."""
    return router.advert_interval_ms / 1000


def skew_s(router: VirtualRouter, priority: int, interval_s: float) -> float:
    """Return by how much a lower priority waits longer.

    Version 3 scales it by the interval of the Master (RFC 9568 6.1), version 2 always by one
    second (RFC 3768 6.1).
    """
    return (_STEPS - priority) / _STEPS * (interval_s if router.version == 3 else 1.0)


class RouterTimer:
    """When something is due, None for never; `router` and `priority` are kept up to date from outside."""

    def __init__(self, router: VirtualRouter, priority: int) -> None:
        self.router = router
        self.priority = priority
        self.due: float | None = None
        self._learnt_s = advert_interval_s(router)

    @property
    def down_interval_s(self) -> float:
        """After how much silence the Master is down (RFC 9568 6.1): 3 of its intervals and the skew.

        In version 3 the interval is the one it advertises, else this router's own.
        """
        return 3 * self._interval_s + skew_s(self.router, self.priority, self._interval_s)

    @property
    def _interval_s(self) -> float:
        return self._learnt_s if self.router.version == 3 else advert_interval_s(self.router)

    def first_period(self, now: float) -> None:
        """Begin to send; the second advert comes the sooner, the lower the VRID.

        So routers that took over together do not send in lockstep for ever.
        """
        self.due = now + advert_interval_s(self.router) * (self.router.vrid + 1) / _STEPS

    def next_period(self, now: float) -> None:
        """Keep to the schedule; what was missed is not made up for."""
        interval_s = advert_interval_s(self.router)
        following = (now if self.due is None else self.due) + interval_s
        self.due = following if following > now else now + interval_s

    def period_from(self, now: float) -> None:
        """Count the periods from an advert that was sent out of turn."""
        self.due = now + advert_interval_s(self.router)

    def sooner(self, now: float) -> None:
        """Let the current period be no longer than the interval, that has changed."""
        if self.due is not None:
            self.due = min(self.due, now + advert_interval_s(self.router))

    def listen(self, now: float) -> None:
        """Wait for a Master that nothing is known of."""
        self._learnt_s = advert_interval_s(self.router)
        self.due = now + self.down_interval_s

    def follow(self, now: float, interval_s: float) -> None:
        """Wait for the next advert of a Master that sends every `interval_s`."""
        self._learnt_s = interval_s
        self.due = now + self.down_interval_s

    def shorten(self, now: float) -> None:
        """Wait for the skew only, as the Master has said that it stops."""
        if self.due is not None:
            self.due = min(self.due, now + skew_s(self.router, self.priority, self._interval_s))

    def hand_over(self, now: float) -> None:
        """Wait for a successor."""
        self.due = now + HAND_OVER_S
