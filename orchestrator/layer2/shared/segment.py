"""One segment: members heard and judged, claims taken, the dead buried in time (DESIGN 8.1)."""

from __future__ import annotations

from orchestrator.layer2.actions import Action, Happening
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.shared.claim import Claims, Entry
from orchestrator.layer2.shared.hello import Hello, State
from orchestrator.layer2.shared.liveness import LISTED_INTERVALS, is_missed
from orchestrator.layer2.shared.member_frame import Refusal
from orchestrator.layer2.shared.membership import DEAD_INTERVALS, MOST_CLAIMS, Member
from orchestrator.layer2.shared.station import Phase, Station
from orchestrator.model.address import IPAddress

_NEVER = float("inf")


class Segment(Station):
    """A segment with all that is heard on it, in time."""

    # Frames of others

    def receive(self, frame: Hello | Claims, mac: MAC, now: float) -> list[Action]:
        """Take a frame whose seal is right."""
        if self.phase is Phase.NONE or self.phase is Phase.MERGED:
            return []
        if frame.head.name == self._desired.node:
            self._meet_twin(frame, now)
        elif isinstance(frame, Hello):
            self._take_hello(frame, mac, now)
        else:
            self._take_claims(frame, now)
        return self._turn(now)

    def refuse(self, cause: Refusal) -> None:
        """Count a frame that changes nothing."""
        self.refused[cause] += 1

    def _take_hello(self, hello: Hello, mac: MAC, now: float) -> None:
        known = self.members.by_name.get(hello.head.name)
        boot = known.boot if known is not None else hello.head.boot
        member = self.members.admit(hello.head, hello, now)
        if isinstance(member, Refusal):
            self.refuse(member)
            return
        for gone in self.members.forgotten:
            self.ownership.forget(gone)
        self.members.forgotten.clear()
        if member.boot != boot:
            self._restarted(member, now)
        if hello.head.counter < member.hello_counter:
            self.refuse(Refusal.LATE)
            return
        member.hello_counter = hello.head.counter
        was_fresh = member.fresh
        member.mac, member.state, member.interval_s = mac, hello.state, hello.interval_s
        joined = self._liveness.hear(member, hello.head, now)
        self._liveness.judge_hearing(member, hello, self._interval_s, now)
        member.take_digest(hello.epoch, hello.digest)
        self._note(member, hello, joined, now)
        self._bind(member, again=was_fresh != member.fresh, now=now)
        for other in self._liveness.take_reports(hello.reports, now):
            self._joined(other, now)
            self._bind(other, again=False, now=now)
        self._repair(hello, joined, now)

    def _restarted(self, member: Member, now: float) -> None:
        """Take it that a member has a new boot id: what it claimed before is unclaimed."""
        member.binds = False
        for key in self.ownership.forget(member):
            self.ownership.consider(key, now)

    def _note(self, member: Member, hello: Hello, joined: bool, now: float) -> None:
        """Draw the conclusions that are no member's claims."""
        if joined:
            self._joined(member, now)
        if hello.state is State.LEAVING and member.alive:
            self.members.set_alive(member, alive=False)
            self.ownership.changes.tell(Happening.MEMBER_LEFT, about=member.name)
            self._lost(now, died=False)
        if member.lists and self._heard_since is None:
            # What waited in a queue while this process slept is older than its listening.
            self._heard_since = max(now, self._listening_since)
        listening_s = DEAD_INTERVALS * member.interval_s
        self._listening_until = max(self._listening_until, self._listening_since + listening_s)

    def _bind(self, member: Member, *, again: bool, now: float) -> None:
        """Let a member's claims count or not; `again`: what they are compared by has changed."""
        binds = member.alive and not member.deaf
        if binds != member.binds:
            member.binds = binds
            if not binds:
                died = not member.alive and member.state is not State.LEAVING
                self.ownership.unbind(member, died=died, now=now)
                return
            again = True
        if again:
            self.ownership.rebind(member, now)

    def _repair(self, hello: Hello, joined: bool, now: float) -> None:
        """Say again what a member shows that it missed: a hello, or all claims."""
        mine = next((one for one in hello.reports if one.boot == self._boot), None)
        if mine is not None and self._speaks:
            self._hurry(mine.age_ms / 1000, now)
        if now - self._voice.repeated < self._interval_s or not self._speaks:
            return
        if mine is None:
            behind = joined and bool(self.ownership.mine.claims)
        else:
            # It has heard us since our claims changed, and yet holds others.
            heard = now - mine.age_ms / 1000 > self._voice.changed
            behind = heard and mine.epoch != self._voice.epoch
        if behind:
            self._frames += self._voice.repeat(now)

    def _hurry(self, age_s: float, now: float) -> None:
        """Speak at once to a member that missed our last hello, before it takes us for dead."""
        if is_missed(age_s, self._interval_s):
            self._voice.hurry(len(self.members.alive), now)

    def _take_claims(self, frame: Claims, now: float) -> None:
        member = self.members.admit(frame.head, None, now)
        if isinstance(member, Refusal):
            self.refuse(member)
            return
        was_fresh = member.fresh
        if self._liveness.hear(member, frame.head, now):
            self._joined(member, now)
        if frame.epoch < member.claims_epoch:  # later claims have overtaken it
            self.refuse(Refusal.LATE)
        else:
            member.claims_epoch = frame.epoch
            if frame.after is None or member.claims.digest != frame.digest:
                self._apply(member, frame, now)
            member.take_digest(frame.epoch, frame.digest)
        # Bound last: what a woken member gives up here must not count for a moment before.
        self._bind(member, again=was_fresh != member.fresh, now=now)

    def _apply(self, member: Member, frame: Claims, now: float) -> None:
        held = member.claims.claims
        changed = [Entry(key, None) for key in frame.missing(held)]
        changed += [
            entry for entry in frame.entries if entry.yielded or held.get(entry.key) != entry.claim
        ]
        if len(held) + len(changed) > MOST_CLAIMS:
            self.refuse(Refusal.CROWDED)
            return
        for key, claim, yielded in changed:
            self.ownership.hear(member, key, claim, yielded)
            self.ownership.consider(key, now)

    # Our own frames, and those of our name

    def _meet_twin(self, frame: Hello | Claims, now: float) -> None:
        if isinstance(frame, Claims):
            self.refuse(Refusal.SAME_NAME)
            return
        proved = self._twin.proved
        self.refuse(self._twin.hear(frame, now))
        if not self._twin.proved:
            return
        if not proved:
            self.ownership.changes.tell(Happening.SAME_NAME, about=frame.head.boot.hex())
        if self._twin.is_earlier(self._voice.counted) and self.phase is not Phase.SILENT:
            self.phase = Phase.SILENT
            self._close("another node has the name of this one")
            # The last word shows the other one that it is not alone.
            self._frames += self._hello(now)

    def sent_lately(self, counter: int, now: float) -> bool:
        """Tell whether a frame with our boot id is no recording: it left here a moment ago."""
        since = now - self._voice.hello_sent
        return counter == self._voice.hello_counter and since < self._interval_s

    # Hints

    def answered(self, address: IPAddress, now: float) -> list[Action]:
        """Take the answer of a neighbor that was asked whether the link works."""
        if self.isolation.answered(address):
            self._place(now)
        return self._turn(now)

    # Time

    def next_timer(self) -> float:
        """Return when `handle_timer` is to be called."""
        if self.phase is Phase.NONE:
            return _NEVER
        if self.phase is Phase.MERGED:
            return self._merged_heard + LISTED_INTERVALS * self._interval_s
        if self.phase is Phase.SILENT:
            return self._twin.gone_at
        listening = self._listening_until if self.phase is Phase.LISTENING else _NEVER
        return min(
            listening,
            self._liveness.checked,
            self._voice.hello_due,
            self._voice.repeat_due,
            self.ownership.due,
            self.isolation.due,
            self._held_at(),
        )

    def _held_at(self) -> float:
        """When the segment has been up and heard for long enough to preempt."""
        if self._heard_since is None or self.ownership.position.held:
            return _NEVER
        return self._heard_since + self._desired.preempt_delay_s

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due: the dead first, since what they claimed is free."""
        if now < self.next_timer():
            return []
        if not self._speaks:
            self.start(now)
        # Always: with every hello it moves the time at which somebody may be dead.
        self._bury(now)
        if self.phase is Phase.LISTENING and now >= self._listening_until:
            self._end_listening(now)
        self._place(now)
        self.ownership.handle_timer(now)
        return self._turn(now)

    def _bury(self, now: float) -> None:
        died = self._liveness.expire(now)
        for member in died:
            self.ownership.changes.tell(Happening.MEMBER_DIED, about=member.name)
        if died:
            self._lost(now, died=True)
        for member in died:
            self._bind(member, again=False, now=now)

    def _end_listening(self, now: float) -> None:
        """Begin to claim, but wait a little for claims that are known to exist and were lost."""
        latest = self._listening_since + LISTED_INTERVALS * self._interval_s
        behind = any(
            member.behind and member.is_heard(now) for member in self.members.alive.values()
        )
        if behind and now < latest:
            self._listening_until = min(latest, now + self._interval_s / 2)
        else:
            self.phase = Phase.MEMBER
