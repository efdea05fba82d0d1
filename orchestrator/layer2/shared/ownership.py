"""Which addresses this node claims on one segment (DESIGN 8.1).

An address that nobody claims is claimed by the first living candidate at once and by each later one
a slot (VRRP's skew) after the one before. Of two claims the worse is released. A claimant that is
not the best is preempted after a hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.layer2.actions import Happening
from orchestrator.layer2.shared.changes import Changes
from orchestrator.layer2.shared.claim import (
    Claim,
    ClaimSet,
    Key,
    Standing,
    clamp,
    rank_hash,
    standing,
)
from orchestrator.layer2.shared.membership import Member, Membership
from orchestrator.model.layer2_desired import Wish

SLOT_S = 0.02
"""Time that each candidate gives the one before it; a claim takes far less to be heard."""
LINGER_S = 1.0
"""Longest time that a node answers for what it has given up, until the successor is heard."""


@dataclass(frozen=True, slots=True)
class Stake:
    """A wish as it is needed here: `before` are the candidates that rank before this node."""

    wish: Wish
    hash: bytes
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rival:
    """The best claim of another on an address."""

    standing: Standing
    member: Member


@dataclass(frozen=True, slots=True)
class Wait:
    """A claim to be made, `since` when it could have been made by the first candidate."""

    since: float
    due: float
    rival: bytes | None


@dataclass(slots=True)
class Position:
    """What this node is on the segment: `open` to claim, `held` long enough to preempt."""

    node: str = ""
    boot: bytes = b""
    fresh: bool = True
    open: bool = False
    provisional: bool = False
    held: bool = False


class Ownership:
    """The claims of this node on a segment, and those of the others by address."""

    def __init__(self, port: str, boot: bytes, members: Membership) -> None:
        self.position = Position(boot=boot)
        self.changes = Changes(port)
        self.mine = ClaimSet()
        self.stakes: dict[Key, Stake] = {}
        self.failovers = 0
        self.due = float("inf")
        """Not later than the first of what waits and lingers."""
        self._members = members
        self._rivals: dict[Key, dict[str, Member]] = {}
        self._waits: dict[Key, Wait] = {}
        self._lingering: dict[Key, float] = {}
        self._yielded: dict[Key, bytes] = {}
        self._orphans: set[Key] = set()
        self._owners: dict[Key, tuple[str | None, float]] = {}
        self.moved: set[Key] = set()
        self._challenged: set[Key] = set()

    # What this node wants

    def want(self, wishes: dict[Key, Wish], now: float) -> None:
        """Take the wishes that hold on this segment; a changed one is looked at anew."""
        changed = [key for key, wish in wishes.items() if not self._knows(key, wish)]
        gone = [key for key in self.stakes if key not in wishes]
        for key in gone:
            del self.stakes[key]
        fresh = {key: self._stake(wishes[key]) for key in changed}
        self.stakes = {key: fresh.get(key) or self.stakes[key] for key in wishes}
        for key in gone:
            self._forfeit(key, "no longer an address of this node")
            self._owners.pop(key, None)
        self.moved.update(gone, changed)
        for key in changed:
            self._yielded.pop(key, None)
            self.consider(key, now)

    def _knows(self, key: Key, wish: Wish) -> bool:
        stake = self.stakes.get(key)
        return stake is not None and (stake.wish is wish or stake.wish == wish)

    def _stake(self, wish: Wish) -> Stake:
        node, order = self.position.node, wish.candidates
        before = order or ()
        if order is not None and node in order:
            before = order[: order.index(node)]
        return Stake(wish, rank_hash(node, str(wish.key)), before)

    # What others claim

    def hear(self, member: Member, key: Key, claim: Claim | None, yielded: bool) -> None:
        """Record a claim of a member, or its end; `consider` then decides."""
        member.claims.put(key, claim)
        if claim is not None:
            self._rivals.setdefault(key, {})[member.name] = member
            self._challenged.add(key)
        elif self._remove_rival(key, member) or yielded:
            self._assert_mine(key)

    def forget(self, member: Member) -> list[Key]:
        """Drop all claims of a member that is another now, or none; return their addresses."""
        keys = list(member.claims.claims)
        for key in keys:
            self._remove_rival(key, member)
        member.claims.clear()
        return keys

    def _remove_rival(self, key: Key, member: Member) -> bool:
        others = self._rivals.get(key)
        if others is None or others.pop(member.name, None) is None:
            return False
        if not others:
            del self._rivals[key]
        return True

    def _assert_mine(self, key: Key) -> None:
        """Announce again what is ours after a rival's claim ended: it may have been believed."""
        if key in self.mine.claims:
            self.changes.announce(key)

    def unbind(self, member: Member, died: bool, now: float) -> None:
        """Look at all that `member` claims, since its claims bind no longer."""
        keys = self._in_order(member.claims.claims)
        if died:
            self._orphans.update(keys)
        for key in keys:
            self._assert_mine(key)
            self.consider(key, now)

    def rebind(self, member: Member, now: float) -> None:
        """Look at all that `member` claims, since its claims count anew, or count otherwise."""
        for key in self._in_order(member.claims.claims):
            self.consider(key, now)

    def _in_order(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of `keys` that have a stake, in the order of the wishes."""
        wanted = set(keys)
        return [key for key in self.stakes if key in wanted] if wanted else []

    # Decisions

    def consider_all(self, now: float) -> None:
        """Look at every address: something changed that counts for all."""
        for key in list(self.stakes):
            self.consider(key, now)

    def consider_waits(self, now: float) -> None:
        """Look at what waits: the number of living candidates before this node changed."""
        for key in list(self._waits):
            self.consider(key, now)

    def consider(self, key: Key, now: float) -> None:
        """Decide about one address."""
        rival = self._strongest(key)
        if key in self.mine.claims:
            self._review(key, rival, now)
        if key not in self.mine.claims:
            if rival is not None:
                self._orphans.discard(key)
                self._stop_answering(key)
            self._plan_claim(key, rival, now)
        self._challenged.discard(key)
        owner = self.owner(key)
        if key in self.stakes and self._owners.get(key, ("", 0.0))[0] != owner:
            self._owners[key] = owner, now
            self.moved.add(key)

    def _strongest(self, key: Key) -> Rival | None:
        others = self._rivals.get(key)
        if not others:
            return None
        found = [
            Rival(standing(member.claims.claims[key], member.fresh, member.boot), member)
            for member in others.values()
            if member.binds
        ]
        return min(found, key=_by_standing, default=None)

    def _standing(self, stake: Stake, provisional: bool) -> Standing:
        claim = Claim(clamp(stake.wish.score), stake.hash, provisional)
        return standing(claim, self.position.fresh, self.position.boot)

    def _review(self, key: Key, rival: Rival | None, now: float) -> None:
        """Decide whether a claim of ours stays."""
        stake, claim = self.stakes[key], self.mine.claims[key]
        if not stake.wish.wanted:
            self._give_up(key, "not wanted here any more", now)
        elif rival is not None and rival.standing < self._standing(stake, claim.provisional):
            if not claim.provisional:
                self._yielded[key] = rival.member.boot
            self._drop(key, f"{rival.member.name} has the better claim", yielded=True)
            self._stop_answering(key)
        else:
            if key in self._challenged:
                self.changes.announce(key)  # clients may have believed the other one
            self._set(key, Claim(clamp(stake.wish.score), stake.hash, claim.provisional))

    def _plan_claim(self, key: Key, rival: Rival | None, now: float) -> None:
        """Claim an address that is not ours, now or in a slot to come, if the rules say so."""
        stake = self.stakes.get(key)
        boot = rival.member.boot if rival is not None else None
        if self._yielded.get(key) != boot:
            self._yielded.pop(key, None)
        if stake is None or not self._may_claim(stake, key, rival):
            self._waits.pop(key, None)
            return
        wait = self._waits.get(key)
        since = wait.since if wait is not None and wait.rival == boot else now
        due = since + SLOT_S * self._rank(stake)
        if due <= now:
            self._claim(key, stake)
        else:
            self._waits[key] = Wait(since, due, boot)
            self.due = min(self.due, due)

    def _may_claim(self, stake: Stake, key: Key, rival: Rival | None) -> bool:
        if not (stake.wish.wanted and self.position.open):
            return False
        return rival is None or self._may_preempt(stake, key, rival)

    def _may_preempt(self, stake: Stake, key: Key, rival: Rival) -> bool:
        """Tell whether `rival` is to be preempted: it is worse, or stale and no candidate."""
        if key in self._yielded:
            return False
        own, order = self._standing(stake, self.position.provisional), stake.wish.candidates
        unfit = order is not None and rival.member.name not in order
        if unfit and self.position.fresh and not rival.member.fresh:
            return own < rival.standing
        # Freshness alone moves nothing: score and hash must be better too.
        return self.position.held and own < rival.standing and own[2:] < rival.standing[2:]

    def _rank(self, stake: Stake) -> int:
        """Return how many living candidates come before this node."""
        alive = self._members.alive
        if stake.wish.candidates is not None:
            return len(alive.keys() & stake.before)
        key = str(stake.wish.key)
        return sum(rank_hash(name, key) < stake.hash for name in alive)

    def _claim(self, key: Key, stake: Stake) -> None:
        self._waits.pop(key, None)
        if key in self._orphans:
            self._orphans.discard(key)
            self.failovers += 1
        self._set(key, Claim(clamp(stake.wish.score), stake.hash, self.position.provisional))
        self._lingering.pop(key, None)
        self.changes.take(key)
        self.changes.tell(Happening.CLAIMED, key)

    def _set(self, key: Key, claim: Claim) -> None:
        if self.mine.claims.get(key) != claim:
            self.mine.put(key, claim)
            self.changes.say(key, claim, yielded=False)

    def _drop(self, key: Key, why: str, *, yielded: bool = False) -> None:
        """End a claim of ours."""
        self.mine.put(key, None)
        self.changes.say(key, None, yielded=yielded)
        self.changes.tell(Happening.RELEASED, key, message=why)

    def _give_up(self, key: Key, why: str, now: float) -> None:
        """Drop a claim, but answer on until the successor is heard."""
        self._drop(key, why)
        if self._members.alive:
            self._lingering[key] = now + LINGER_S
            self.due = min(self.due, now + LINGER_S)
        else:
            self._stop_answering(key)

    def _stop_answering(self, key: Key) -> None:
        self._lingering.pop(key, None)
        self.changes.release(key)

    def _forfeit(self, key: Key, why: str) -> None:
        """Have nothing more to do with an address, without handing it over."""
        self._waits.pop(key, None)
        self._yielded.pop(key, None)
        self._orphans.discard(key)
        if key in self.mine.claims:
            self._drop(key, why)
        self._stop_answering(key)

    # Everything at once

    def firm(self) -> None:
        """Make provisional claims firm: the segment has been heard for long enough."""
        for key, claim in list(self.mine.claims.items()):
            if claim.provisional:
                self._set(key, claim._replace(provisional=False))

    def drop_all(self, why: str) -> None:
        """Give up everything at once, without handing over."""
        for key in list(self.stakes):
            self._forfeit(key, why)

    def hand_over_all(self, now: float) -> None:
        """Give up everything, answering on until successors are heard."""
        self._waits.clear()
        for key in list(self.mine.claims):
            self._give_up(key, "this node leaves", now)

    @property
    def answers(self) -> bool:
        """Tell whether anything is answered for."""
        return bool(self.mine.claims or self._lingering)

    def handle_timer(self, now: float) -> None:
        """Claim what is due, stop what lingered long enough."""
        if now < self.due:
            return
        due = {key for key, wait in self._waits.items() if wait.due <= now}
        for key in self._in_order(due):
            self.consider(key, now)
        for key in [key for key, until in self._lingering.items() if until <= now]:
            self._stop_answering(key)
        times = [wait.due for wait in self._waits.values()]
        self.due = min([*times, *self._lingering.values()], default=float("inf"))

    def owner(self, key: Key) -> str | None:
        """Return the name of the claimant as it is seen here; None while nobody claims."""
        if key in self.mine.claims:
            return self.position.node
        rival = self._strongest(key)
        return None if rival is None else rival.member.name

    def owned_since(self, key: Key) -> float:
        """Return since when the address has had the claimant that it has, or none."""
        return self._owners[key][1]


def _by_standing(rival: Rival) -> Standing:
    return rival.standing
