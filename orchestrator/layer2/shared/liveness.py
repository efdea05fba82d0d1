"""Who is alive on one segment, by what anybody heard (DESIGN 8.1).

A member is alive until three of its intervals after the latest moment that anyone heard it: our own
hearing, or a member's report less its age. Members report their own hearings only, so that no
rumour about a dead one goes round. A member is deaf to us when it does not list us while we hear it.
"""

from __future__ import annotations

from orchestrator.layer2.shared.hello import OLDEST_MS, Hello, Report, State
from orchestrator.layer2.shared.member_frame import Head
from orchestrator.layer2.shared.membership import DEAD_INTERVALS, Member, Membership

LISTED_INTERVALS = 6
"""A member that we have not heard for so many of its intervals is listed no longer: loss that leaves
a pair without six hellos in a row is rarer than a broken path."""
MISSED_INTERVALS = 1.5
"""Age of a hearing at which a hello has been missed."""


class Liveness:
    """Keeps the living members of `members` up to date."""

    def __init__(self, members: Membership, own_boot: bytes) -> None:
        self._members = members
        self._own_boot = own_boot
        self._speaking_since = 0.0
        self.checked = float("inf")
        """When somebody may be dead, at the earliest: every hearing moves that away."""

    def begin(self, now: float) -> None:
        """Take it that we begin to speak now: nobody can have heard us yet."""
        self._speaking_since = now
        for member in self._members:
            member.listed = member.lists = member.deaf = False

    def excuse(self, now: float) -> None:
        """Take every living member as heard now: it was us who did not listen."""
        for member in self._members.alive.values():
            member.last = now
        self.expire(now)

    def hear(self, member: Member, head: Head, now: float) -> bool:
        """Take a frame of a member; True when it was not alive before."""
        if head.counter < member.counters.highest:
            return False  # a later frame has overtaken it, and said more
        member.port, member.fresh = head.port, head.fresh
        if not member.is_heard(now):
            member.hearing_since = now
        member.heard = max(member.heard, now)
        member.last = max(member.last, now)
        return self._revive(member)

    def _revive(self, member: Member) -> bool:
        self.checked = min(self.checked, member.dies)
        if member.alive or member.state is State.LEAVING:
            return False
        self._members.set_alive(member, alive=True)
        return True

    def take_reports(self, reports: tuple[Report, ...], now: float) -> list[Member]:
        """Take what a member heard; return who is alive by that and was not before."""
        revived = []
        for boot, age_ms, _ in reports:
            member = self._members.of_boot(boot)
            moment = now - age_ms / 1000
            if member is not None and moment > member.last:
                member.last = moment
                if not member.alive and member.dies > now and self._revive(member):
                    revived.append(member)
        return revived

    def expire(self, now: float) -> list[Member]:
        """Return who has died; they are alive no longer."""
        died = [member for member in self._members.alive.values() if member.dies <= now]
        for member in died:
            self._members.set_alive(member, alive=False)
        living = self._members.alive.values()
        self.checked = min((member.dies for member in living), default=float("inf"))
        return died

    def judge_hearing(self, member: Member, hello: Hello, interval_s: float, now: float) -> None:
        """Decide from its hello whether `member` is deaf to us, whose own interval is given."""
        age_ms = next((age for boot, age, _ in hello.reports if boot == self._own_boot), None)
        member.lists = age_ms is not None
        member.listed |= member.lists
        if age_ms is not None:
            overdue = age_ms >= 1000 * DEAD_INTERVALS * interval_s
            unheard = overdue and _hears_nobody(hello, interval_s)
        else:
            unheard = not hello.partial
        # We must have heard each other for a while: after a cut both begin to list at the same time.
        intervals = DEAD_INTERVALS if member.listed else LISTED_INTERVALS
        patience_s = intervals * max(interval_s, member.interval_s)
        since = max(member.hearing_since, self._speaking_since)
        member.deaf = unheard and now - since > patience_s

    def misses(self, now: float) -> bool:
        """Tell whether we miss a living member's hellos: it has to be asked before it is dead."""
        living = self._members.alive.values()
        return any(is_missed(now - member.heard, member.interval_s) for member in living)

    def reports(self, now: float) -> list[Report]:
        """Return what we heard ourselves, for our hello."""
        return [
            Report(member.boot, age_ms(now - member.heard), member.synced)
            for member in self._members
            if now - member.heard <= LISTED_INTERVALS * member.interval_s
        ]


def is_missed(age_s: float, interval_s: float) -> bool:
    """Tell by the age of the last hearing whether a hello was missed, and might come if asked for."""
    return MISSED_INTERVALS * interval_s <= age_s < LISTED_INTERVALS * interval_s


def age_ms(age_s: float) -> int:
    """Return an age as reports have it, rounded up: it must not make anybody younger."""
    return min(OLDEST_MS, max(0, int(-(-age_s * 1000 // 1))))


def _hears_nobody(hello: Hello, interval_s: float) -> bool:
    """Tell whether all its hearings are old: then its way in is broken, and not one pair's path."""
    return all(age >= 1000 * DEAD_INTERVALS * interval_s for _, age, _ in hello.reports)
