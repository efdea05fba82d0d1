"""Bringing a new configuration into force without touching other sessions.

ExaBGP loses a reload silently while any peer has pending updates (DESIGN 5, rule 8). So: pause, let
what is under way reach the wire, reload, look whether it is in force, try again. A pause is short,
since withdraws wait for it too; a peer that blocks for 5 s is torn down (rule 14). Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from orchestrator.model.address import IPAddress

PAUSE_LIMIT_S = 0.2
"""Longest wait for quiet before a reload is tried all the same."""
BLOCK_LIMIT_S = 5.0
"""A peer that keeps a reload from happening for so long is torn down."""
FIRST_RETRY_S = 0.05
BLOCKED_RETRY_S = 0.3
LAST_RETRY_S = 30.0
REFUSED_AFTER = 6
"""Tries after which, with nothing in the way, ExaBGP must have refused the file."""
FAREWELL_LIMIT_S = 1.0
"""Longest wait for withdraws to peers that go and would keep routes (graceful restart)."""

InForce = Mapping[IPAddress, str]


class Step(Enum):
    """What a reload needs next."""

    NOTHING = "nothing"
    FAREWELL = "farewell"
    QUIET = "quiet"
    TEARDOWN = "teardown"
    RELOAD = "reload"
    VERIFY = "verify"
    WAIT = "wait"


class Reload:
    """One configuration on its way into force; the digests per neighbor are what is compared."""

    def __init__(self) -> None:
        self._wanted: InForce | None = None
        self._in_force: InForce | None = None
        self._since = 0.0
        self._step = Step.NOTHING
        self._until = 0.0
        self._tries = 0
        self._torn_at = -BLOCK_LIMIT_S
        self._blocked = False

    @property
    def step(self) -> Step:
        """What is to be done next."""
        return self._step

    @property
    def paused(self) -> bool:
        """Tell whether no routes may be sent."""
        return self._step in {Step.QUIET, Step.TEARDOWN, Step.RELOAD, Step.VERIFY}

    @property
    def refused(self) -> bool:
        """Tell whether ExaBGP seems to refuse the file."""
        return self._tries >= REFUSED_AFTER

    @property
    def pending(self) -> bool:
        """Tell whether what is in force is not, or may not be, what is wanted."""
        return self._in_force is None or self._differs()

    @property
    def known(self) -> bool:
        """Tell whether it is known what is in force."""
        return self._in_force is not None

    def want(self, digests: InForce, now: float) -> None:
        """Take the configuration that should be in force."""
        if digests != self._wanted:
            self._wanted = dict(digests)
            self._since, self._tries = now, 0
            self._compare(now)

    def in_force(self, digests: InForce, now: float) -> None:
        """Take what `show neighbor configuration` says is in force."""
        tried = self._step is Step.VERIFY
        self._in_force = dict(digests)
        self._step = Step.NOTHING
        if tried and self._differs():
            self._step = Step.WAIT
            self._until = now + self._pause()
        else:
            self._compare(now)

    def _pause(self) -> float:
        """How long to wait before the next try; tries that something blocked do not count."""
        if self._blocked:
            return BLOCKED_RETRY_S
        self._tries += 1
        return min(FIRST_RETRY_S * (1 << min(self._tries, 16)), LAST_RETRY_S)

    def forget(self) -> None:
        """Forget what is in force: the connection is gone."""
        self._in_force = None
        self._step = Step.NOTHING

    def _differs(self) -> bool:
        return self._wanted is not None and self._in_force != self._wanted

    def _compare(self, now: float) -> None:
        busy = self._step not in {Step.NOTHING, Step.WAIT}
        if self._in_force is None or busy:
            return
        if not self._differs():
            self._step, self._tries = Step.NOTHING, 0
        else:
            self._step, self._until = Step.FAREWELL, now + FAREWELL_LIMIT_S

    def advance(self, now: float, *, said_farewell: bool, blocked: bool) -> None:
        """Move on; `blocked` while any peer has changes that are not on the wire."""
        if self._step is Step.WAIT and now >= self._until:
            self._step, self._until = Step.QUIET, now + PAUSE_LIMIT_S
        if self._step is Step.FAREWELL and (said_farewell or now >= self._until):
            self._step, self._until = Step.QUIET, now + PAUSE_LIMIT_S
        if self._step is Step.QUIET and (not blocked or now >= self._until):
            overdue = now - max(self._since, self._torn_at) >= BLOCK_LIMIT_S
            self._step = Step.TEARDOWN if blocked and overdue else Step.RELOAD
            self._blocked = blocked

    def torn_down(self, now: float) -> None:
        """Take note that the blocking peers were torn down."""
        self._torn_at = now
        self._step = Step.RELOAD

    def reloaded(self) -> None:
        """Take note that ExaBGP took the command; whether it acted on it is to be seen."""
        self._step = Step.VERIFY

    def next_timer(self) -> float | None:
        """When `advance` is to be called again, if at all."""
        timed = self._step in {Step.WAIT, Step.FAREWELL, Step.QUIET}
        return self._until if timed else None
