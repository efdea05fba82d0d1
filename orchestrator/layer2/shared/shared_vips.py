"""Shared VIPs: one election for each address and segment, without a word to any server (DESIGN 8.1).

Takes what this node wants, its ports and the frames of others, and gives back what to send and what
to answer for. Does no input or output; times are seconds of one monotonic clock.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from orchestrator.layer2.actions import Action
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.shared.asking import Asking
from orchestrator.layer2.shared.changes import address_of, key_of
from orchestrator.layer2.shared.claim import Claims, Key, decode_claims
from orchestrator.layer2.shared.hello import Hello, decode_hello
from orchestrator.layer2.shared.member_frame import (
    BOOT_ID_BYTES,
    Kind,
    Lock,
    Refusal,
    decode_frame,
)
from orchestrator.layer2.shared.report import SharedReport, owner_of, report_of
from orchestrator.layer2.shared.segment import Segment
from orchestrator.layer2.shared.sightings import Sightings
from orchestrator.layer2.shared.station import Phase
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.layer2_report import OwnerReport


class SharedVIPs:
    """A node's part in all its segments. `boot_id` is 8 random bytes, new at each start."""

    def __init__(self, boot_id: bytes) -> None:
        if len(boot_id) != BOOT_ID_BYTES:
            raise ValueError(f"a boot id has {BOOT_ID_BYTES} bytes, not {len(boot_id)}")
        self._boot = boot_id
        self._counter = itertools.count(1)
        self._segments: dict[str, Segment] = {}
        self._sightings: dict[str, Sightings] = {}
        self._asking: dict[str, Asking] = {}
        self._desired: Desired | None = None
        self._wishes: dict[Key, Wish] = {}
        self._leaving = False

    # What should be

    def want(self, desired: Desired, now: float) -> list[Action]:
        """Take what this node wants; before a first complete plan, and without one, nothing new."""
        self._desired = desired
        if desired.complete:
            self._wishes = {key_of(wish.address): wish for wish in desired.wishes}
        actions: list[Action] = []
        for segment in self._segments.values():
            actions += segment.want(desired, self._wishes_on(segment), now)
        return actions

    def _wishes_on(self, segment: Segment) -> dict[Key, Wish]:
        """Return the wishes whose interfaces include the segment's."""
        name = segment.port.name
        return {
            key: wish
            for key, wish in self._wishes.items()
            if wish.interfaces is None or name in wish.interfaces
        }

    def ports(self, ports: Mapping[str, Port], now: float) -> list[Action]:
        """Take the ports that carry a segment, as they are now."""
        actions: list[Action] = []
        for name in [name for name in self._segments if name not in ports]:
            actions += self._segments.pop(name).away(now)
            del self._sightings[name], self._asking[name]
        for name in sorted(ports):
            if name in self._segments:
                actions += self._segments[name].move(ports[name], now)
            else:
                actions += self._begin(ports[name], now)
        return [*actions, *self._part_merged(now)]

    def _begin(self, port: Port, now: float) -> list[Action]:
        segment = Segment(port, self._boot, self._counter)
        self._segments[port.name] = segment
        self._sightings[port.name] = sightings = Sightings(segment)
        self._asking[port.name] = Asking(segment, sightings)
        if self._desired is None:
            return []
        return segment.want(self._desired, self._wishes_on(segment), now)

    def _part_merged(self, now: float) -> list[Action]:
        """Let those speak for themselves that were merged into a port that is down or gone."""
        actions: list[Action] = []
        for segment in self._segments.values():
            first = self._segments.get(segment.merged_into or "")
            if segment.phase is Phase.MERGED and (first is None or first.phase is Phase.NONE):
                actions += segment.part(now)
        return actions

    # What is heard

    def receive(self, port: str, packet: Packet, mac: MAC, now: float) -> list[Action]:
        """Take a packet of IP protocol 112, version 3, type 15, that `mac` sent."""
        segment = self._segments.get(port)
        if segment is None or self._desired is None:
            return []
        frame = _decode(packet, Lock(self._desired.vrid, self._desired.keys))
        if isinstance(frame, Refusal):
            segment.refuse(frame)
            return []
        if frame.head.boot == self._boot:
            return self._own(segment, frame, now)
        return segment.receive(frame, mac, now)

    def _own(self, segment: Segment, frame: Hello | Claims, now: float) -> list[Action]:
        """Take a frame of our own: on another port it shows that both are on one segment."""
        segment.refuse(Refusal.OWN)
        sender = self._sender(frame.head.port)
        genuine = sender is not None and sender.sent_lately(frame.head.counter, now)
        if sender is None or sender is segment or not genuine:
            return []
        first, second = sorted((sender, segment), key=_by_name)
        return second.merge(first.port.name, now)

    def _sender(self, index: int) -> Segment | None:
        return next((one for one in self._segments.values() if one.port.index == index), None)

    def answered(self, port: str, address: IPAddress, now: float) -> list[Action]:
        """Take it that an address that was probed has answered by ARP or NA."""
        segment = self._segments.get(port)
        return [] if segment is None else segment.answered(address, now)

    def saw_claimant(self, port: str, address: IPAddress, mac: MAC, now: float) -> list[Action]:
        """Take it that somebody said by ARP or NA that `address` is at `mac`."""
        own = any(segment.port.mac == mac for segment in self._segments.values())
        if own or port not in self._segments:
            return []
        return [*self._sightings[port].see(key_of(address), mac, now)]

    # Time

    def next_timer(self) -> float | None:
        """Return when `handle_timer` is to be called, or None."""
        soonest = min((one.next_timer() for one in self._segments.values()), default=float("inf"))
        return None if soonest == float("inf") else soonest

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due."""
        due = [action for one in self._segments.values() for action in one.handle_timer(now)]
        return [*due, *(probe for one in self._asking.values() for probe in one.ask(now))]

    def step_back(self, now: float) -> list[Action]:
        """Give up all claims and listen anew: this process did not run for a while (DESIGN 8.4)."""
        return [action for one in self._segments.values() for action in one.step_back(now)]

    def leave(self, now: float) -> list[Action]:
        """Hand everything over, for good; call `handle_timer` on until `finished`."""
        self._leaving = True
        return [action for one in self._segments.values() for action in one.leave(now)]

    @property
    def finished(self) -> bool:
        """Tell whether this node left, and answers for nothing any more."""
        return self._leaving and not any(
            segment.ownership.answers for segment in self._segments.values()
        )

    def snapshot(self, now: float, *, owners: bool = True) -> SharedReport:
        """Return what is known of segments, members and (which takes long with many) owners."""
        pairs = ((one, self._sightings[name]) for name, one in sorted(self._segments.items()))
        return report_of(pairs, self._desired or Desired(""), now, owners=owners)

    def places(self) -> list[tuple[str, IPAddress]]:
        """Return every segment with every address that is elected there."""
        return [
            (name, address_of(key))
            for name, segment in sorted(self._segments.items())
            for key in segment.ownership.stakes
        ]

    def moved(self) -> list[tuple[str, IPAddress]]:
        """Return the places whose owner changed, or what this node wants, since the last call."""
        found = []
        for name, segment in sorted(self._segments.items()):
            found += [(name, address_of(key)) for key in segment.ownership.moved]
            segment.ownership.moved.clear()
        return found

    def owner(self, port: str, address: IPAddress, now: float) -> OwnerReport | None:
        """Return who owns an address on a segment; None where it is not elected."""
        segment = self._segments.get(port)
        key = key_of(address)
        if segment is None or key not in segment.ownership.stakes:
            return None
        return owner_of(segment, self._sightings[port], key, now)


def _decode(packet: Packet, lock: Lock) -> Hello | Claims | Refusal:
    decoded = decode_frame(packet, lock)
    if isinstance(decoded, Refusal):
        return decoded
    kind, head, body = decoded
    return decode_hello(head, body) if kind is Kind.HELLO else decode_claims(head, body)


def _by_name(segment: Segment) -> str:
    return segment.port.name
