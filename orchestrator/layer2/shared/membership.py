"""The members of one segment: who they are, whose frames count, and which claims they make.

A name belongs to one boot id. Another one gets it when it proves that it is not a recording, by
listing our own boot id, and the holder is silent (a restart); the one it replaced is refused from
then on. While the holder is heard, the other one is a second node of the same name (DESIGN 8.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.layer2.frames.ethernet import MAC, NOBODY
from orchestrator.layer2.shared.claim import ClaimSet
from orchestrator.layer2.shared.counter_window import CounterWindow
from orchestrator.layer2.shared.hello import Hello, State
from orchestrator.layer2.shared.member_frame import Head, Refusal

MOST_MEMBERS = 255
MOST_CLAIMS = 16384
"""Claims of one member; an installation with more addresses than this needs more nodes."""
RETIRED_BOOTS = 8
DEAD_INTERVALS = 3
LATE_SHARE, LATEST_S = 0.25, 0.02
"""How late a hello may be, as a share of the interval and at most: the third one must have the time
to arrive, or two that are lost would be enough (VRRP has its skew for that)."""
SILENT_INTERVALS = 2
"""A holder of a name that said nothing for so long may have restarted."""


def dead_s(interval_s: float) -> float:
    """Return the time without a hello after which its sender is dead."""
    return DEAD_INTERVALS * interval_s + min(LATE_SHARE * interval_s, LATEST_S)


@dataclass(slots=True)
class Member:
    """A node that was heard on the segment.

    `heard` is our own last hearing, `hearing_since` the first without a gap before it, `last` the
    latest hearing of anybody. `binds`: its claims count.
    `listed` tells whether it has listed us since we began to speak, `lists` whether it does now.
    """

    name: str
    boot: bytes
    counters: CounterWindow = field(default_factory=CounterWindow)
    hello_counter: int = -1
    claims_epoch: int = 0
    port: int = 0
    mac: MAC = NOBODY
    interval_s: float = 0.1
    state: State = State.LISTENING
    fresh: bool = True
    heard: float = float("-inf")
    hearing_since: float = float("-inf")
    last: float = float("-inf")
    alive: bool = False
    binds: bool = False
    deaf: bool = False
    listed: bool = False
    lists: bool = False
    digest: int = 0
    synced: int = 0
    claims: ClaimSet = field(default_factory=ClaimSet)
    retired: deque[bytes] = field(default_factory=lambda: deque(maxlen=RETIRED_BOOTS))

    @property
    def dead_s(self) -> float:
        """Time without a hearing after which it is dead: three of its own intervals, and a little."""
        return dead_s(self.interval_s)

    @property
    def dies(self) -> float:
        """When it is dead unless somebody hears it."""
        return self.last + self.dead_s

    @property
    def behind(self) -> bool:
        """Tell whether we do not hold the claims that it says it has."""
        return self.claims.digest != self.digest

    def take_digest(self, epoch: int, digest: int) -> None:
        """Take what it says of its claims; `synced` is the epoch of those that we hold."""
        self.digest = digest
        if not self.behind:
            self.synced = epoch

    def is_heard(self, now: float) -> bool:
        """Tell whether we have heard it ourselves lately."""
        return now - self.heard < self.dead_s

    def is_silent(self, now: float) -> bool:
        """Tell whether it missed its last hellos."""
        return now - self.heard >= SILENT_INTERVALS * self.interval_s


class Membership:
    """All members of a segment by name, living and dead, and how many frames were refused."""

    def __init__(self, own_boot: bytes) -> None:
        self._own_boot = own_boot
        self._by_boot: dict[bytes, Member] = {}
        self.by_name: dict[str, Member] = {}
        self.alive: dict[str, Member] = {}
        self.forgotten: list[Member] = []
        """Members that made room; whoever looks here takes them out."""

    def __iter__(self) -> Iterator[Member]:
        return iter(self.by_name.values())

    def of_boot(self, boot: bytes) -> Member | None:
        """Return the member that holds its name with `boot`."""
        return self._by_boot.get(boot)

    def admit(self, head: Head, hello: Hello | None, now: float) -> Member | Refusal:
        """Return whose frame it is, or why it is of nobody; only a hello makes a new member."""
        member = self.by_name.get(head.name)
        if member is None:
            return self._enter(head) if hello is not None else Refusal.STRANGER
        if head.boot == member.boot:
            return self._same(member, head, now)
        if head.boot in member.retired:
            return Refusal.REPLACED_BOOT
        if hello is None:
            return Refusal.STRANGER
        if not self._replaces(member, hello, now):
            return Refusal.SAME_NAME
        self._replace(member, head.boot)
        member.counters.take(head.counter)
        return member

    @staticmethod
    def _same(member: Member, head: Head, now: float) -> Member | Refusal:
        if head.port != member.port and not member.is_silent(now):
            return Refusal.OTHER_PORT
        return member if member.counters.take(head.counter) else Refusal.REPLAY

    def _replaces(self, member: Member, hello: Hello, now: float) -> bool:
        """Tell whether a hello of another boot id takes the name over."""
        if member.state is State.LEAVING:
            return True
        proved = any(report.boot == self._own_boot for report in hello.reports)
        if not member.is_silent(now):
            # A holder that has just begun cannot list us yet: this may be its predecessor's last.
            long = now - member.hearing_since > DEAD_INTERVALS * member.interval_s
            return proved and long and not member.lists
        return proved or not member.alive

    def _replace(self, member: Member, boot: bytes) -> None:
        self._let_go_of_boot(member)
        member.retired.append(member.boot)
        member.boot, member.counters, member.hello_counter = boot, CounterWindow(), -1
        member.listed = member.lists = member.deaf = False
        member.heard = float("-inf")
        member.digest = member.synced = member.claims_epoch = 0
        self._by_boot[boot] = member

    def _enter(self, head: Head) -> Member | Refusal:
        if len(self.by_name) >= MOST_MEMBERS and not self._make_room():
            return Refusal.CROWDED
        member = Member(head.name, head.boot)
        member.counters.take(head.counter)
        self.by_name[head.name] = self._by_boot[head.boot] = member
        return member

    def _make_room(self) -> bool:
        """Forget whom nobody has heard for the longest time; a living member is never forgotten."""
        dead = [member for member in self if not member.alive]
        if not dead:
            return False
        oldest = min(dead, key=_by_last)
        del self.by_name[oldest.name]
        self._let_go_of_boot(oldest)
        self.forgotten.append(oldest)
        return True

    def _let_go_of_boot(self, member: Member) -> None:
        """Forget whose boot id it was, unless the node goes by another name meanwhile."""
        if self._by_boot.get(member.boot) is member:
            del self._by_boot[member.boot]

    def set_alive(self, member: Member, alive: bool) -> None:
        """Record that a member is alive, or is not."""
        member.alive = alive
        if alive:
            self.alive[member.name] = member
        else:
            self.alive.pop(member.name, None)

    def reset(self) -> None:
        """Take nobody for alive: the segment was away. What proves frames genuine is kept."""
        for member in self:
            member.binds = member.listed = member.lists = member.deaf = False
            member.last = member.heard = float("-inf")
            self.set_alive(member, alive=False)


def _by_last(member: Member) -> float:
    return member.last
