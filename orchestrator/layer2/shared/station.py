"""A node's own part on one segment: its phase, and what each turn gives out (DESIGN 8.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum

from orchestrator.layer2.actions import Action, Happening, Probe, Send
from orchestrator.layer2.port import Port
from orchestrator.layer2.shared.claim import Key
from orchestrator.layer2.shared.hello import State
from orchestrator.layer2.shared.isolation import Isolation
from orchestrator.layer2.shared.liveness import Liveness
from orchestrator.layer2.shared.member_frame import Refusal
from orchestrator.layer2.shared.membership import DEAD_INTERVALS, Member, Membership
from orchestrator.layer2.shared.ownership import Ownership
from orchestrator.layer2.shared.twin import Twin
from orchestrator.layer2.shared.voice import Voice
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish


class Phase(Enum):
    """What a port is for shared VIPs."""

    NONE = "none"
    LISTENING = "listening"
    MEMBER = "member"
    LEAVING = "leaving"
    SILENT = "silent"
    MERGED = "merged"


# A tuple: it is looked into with every frame, and to hash an enum costs more than to compare three.
_SPEAKING = (Phase.MEMBER, Phase.LISTENING, Phase.LEAVING)


class Station:
    """What a node is on the segment of one port: its phase, what it may claim, what it says."""

    def __init__(self, port: Port, boot: bytes, counter: Iterator[int]) -> None:
        self.port = port
        self.phase = Phase.NONE
        self.merged_into: str | None = None
        self.members = Membership(boot)
        self.ownership = Ownership(port.name, boot, self.members)
        self.refused: Counter[Refusal] = Counter()
        self.ever_heard = False
        self.isolation = Isolation()
        self._boot = boot
        self._liveness = Liveness(self.members, boot)
        self._voice = Voice(boot, counter, self.ownership.mine)
        self._twin = Twin(boot)
        self._desired = Desired("")
        self._up_since = 0.0
        self._listening_since = 0.0
        self._listening_until = 0.0
        self._heard_since: float | None = None
        self._merged_heard = 0.0
        self._frames: list[Send] = []

    # Surroundings

    def want(self, desired: Desired, wishes: dict[Key, Wish], now: float) -> list[Action]:
        """Take what this node wants on the segment."""
        if desired.interval_s != self._desired.interval_s:
            self._voice.hello_due = now
        self._desired = desired
        self.ownership.position.node = desired.node
        self._settle_port(now)
        self._place(now)
        self.ownership.want(wishes, now)
        return self._turn(now)

    def move(self, port: Port, now: float) -> list[Action]:
        """Take the port as it is now."""
        self.port = port
        self._settle_port(now)
        return self._turn(now)

    def away(self, now: float) -> list[Action]:
        """Take it that the port is gone."""
        self._stop("the interface is gone")
        return self._turn(now)

    def _settle_port(self, now: float) -> None:
        usable = bool(self._desired.node) and self._voice.place(self.port, self._desired)
        if not (usable and self.port.up):
            self._stop("the link is down")
        elif self.phase is Phase.NONE:
            self.start(now)

    def start(self, now: float) -> None:
        """Begin anew: the link has come up."""
        self._up_since = now
        self.members.reset()
        self.isolation.end()
        self._twin = Twin(self._boot)
        self.merged_into = None
        self._listen(now)

    def _listen(self, now: float) -> None:
        self.phase = Phase.LISTENING
        self._listening_since = now
        self._listening_until = now + DEAD_INTERVALS * self._interval_s
        self._heard_since = None
        self._voice.hello_due = now
        self._liveness.begin(now)
        self._place(now)

    def _stop(self, why: str) -> None:
        self.phase = Phase.NONE
        self._close(why)

    def _close(self, why: str) -> None:
        """Give up everything at once; nobody is heard here any more."""
        self.ownership.position.open = False
        self.ownership.drop_all(why)
        self.members.reset()
        self.isolation.end()
        self._heard_since = None

    @property
    def _interval_s(self) -> float:
        return self._voice.interval_s(len(self.members.alive))

    @property
    def _speaks(self) -> bool:
        return self.phase in _SPEAKING

    def merge(self, into: str, now: float) -> list[Action]:
        """Take it that this port and another of ours are on one segment: the other one answers."""
        self._merged_heard, self.merged_into = now, into
        if self.phase not in {Phase.MERGED, Phase.NONE}:
            self.phase = Phase.MERGED
            self._close(f"{into} is on the same segment")
            self.ownership.changes.tell(Happening.MERGED, about=into)
        return self._turn(now)

    def part(self, now: float) -> list[Action]:
        """Take it that the port merged into no longer answers here."""
        if self.phase is Phase.MERGED:
            self.start(now)
        return self._turn(now)

    # What may be claimed

    def _joined(self, member: Member, now: float) -> None:
        self.ever_heard = True
        self.ownership.changes.tell(Happening.MEMBER_JOINED, about=member.name)
        if self.isolation.active:
            self.isolation.end()
            self.ownership.changes.tell(Happening.REJOINED, about=member.name)
        self._place(now)
        self.ownership.consider_waits(now)

    def _lost(self, now: float, *, died: bool) -> None:
        """Draw the conclusions when there are fewer members than before."""
        if not self.members.alive:
            self._heard_since = None
            if died and self.phase is not Phase.LEAVING:
                self.isolation.begin(self._neighbors(), now)
                self.ownership.changes.tell(Happening.ISOLATED)
        self._place(now)
        self.ownership.consider_waits(now)

    def _neighbors(self) -> tuple[IPAddress, ...]:
        """Return whom to ask whether the link works; an address that is not on the link cannot say."""
        desired, port = self._desired, self.port
        asked = desired.check_addresses or desired.gateways.get(port.name, ())
        own = {one.ip for one in port.addresses}
        networks = [one.network for one in port.addresses]
        return tuple(
            one for one in asked if one not in own and any(one in network for network in networks)
        )

    def _place(self, now: float) -> None:
        """See what may be claimed now; what was not allowed before is looked at."""
        position = self.ownership.position
        before = position.open, position.held, position.fresh
        held_at = self._heard_since
        position.held = held_at is not None and now >= held_at + self._desired.preempt_delay_s
        soon = now < self._up_since + self._desired.preempt_delay_s
        position.provisional = soon and not self.members.alive
        position.fresh = self._desired.fresh
        position.open = self.phase is Phase.MEMBER and not self.isolation.blocks
        if position.held and not before[1]:
            self.ownership.firm()
        if before != (position.open, position.held, position.fresh):
            self.ownership.consider_all(now)

    def step_back(self, now: float) -> list[Action]:
        """Give up everything and listen: this process slept, so others have taken over."""
        if self._speaks:
            self.ownership.position.open = False
            self.ownership.drop_all("this node slept")
        if self._speaks and self.phase is not Phase.LEAVING:
            self.ownership.changes.tell(Happening.STEPPED_BACK)
            self._liveness.excuse(now)
            self._listen(now)
        return self._turn(now)

    def leave(self, now: float) -> list[Action]:
        """Hand everything over."""
        if self._speaks:
            self.phase = Phase.LEAVING
            self._place(now)
            self.ownership.hand_over_all(now)
            self._voice.hello_due = now
        return self._turn(now)

    # The end of each turn

    def _turn(self, now: float) -> list[Action]:
        """Return what is to be done, with all that is to be said by now."""
        turn = self.ownership.changes.drain()
        frames, self._frames = self._frames, []
        if turn.entries:
            said = self._voice.change(turn.entries, now)
            frames += said if self._speaks else []
        if self._speaks:
            frames += self._speak(now)
        probes = [
            Probe(self.port.name, address)
            for address in self.isolation.probes(self._interval_s, now)
        ]
        return [*turn.releases, *frames, *turn.takes, *probes, *turn.told]

    def _speak(self, now: float) -> list[Send]:
        frames = self._voice.repeat(now) if now >= self._voice.repeat_due else []
        return [*frames, *self._hello(now)] if now >= self._voice.hello_due else frames

    def _hello(self, now: float) -> list[Send]:
        reports = [*self._liveness.reports(now), *self._twin.report(now)]
        members = len(self.members.alive)
        frames = self._voice.hello(self._state, members, reports, now)
        if self._liveness.misses(now):
            self._voice.hurry(members, now)
        return frames

    @property
    def _state(self) -> State:
        if self.phase is Phase.LISTENING:
            return State.LISTENING
        if self.phase is Phase.LEAVING:
            return State.LEAVING
        return State.ISOLATED if self.isolation.active else State.MEMBER
