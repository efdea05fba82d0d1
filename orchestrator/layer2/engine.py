"""All of layer 2 on one host: packets find their part, what the parts want becomes frames.

Shared VIPs and virtual routers decide who answers for what; `Answering` of each port does it.
Times are seconds of one monotonic clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from orchestrator.layer2.actions import (
    Action,
    Announce,
    Became,
    Emit,
    Event,
    Happening,
    Probe,
    Release,
    Send,
    Take,
)
from orchestrator.layer2.answers.answering import Answering, Heard
from orchestrator.layer2.answers.conflict import Claimant
from orchestrator.layer2.answers.gratuitous import CHUNK
from orchestrator.layer2.frames import ip
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.binding import virtual_mac
from orchestrator.layer2.routers.tracking import Facts
from orchestrator.layer2.routers.virtual_routers import VirtualRouters
from orchestrator.layer2.shared.member_frame import VERSION_AND_TYPE
from orchestrator.layer2.shared.shared_vips import SharedVIPs
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired
from orchestrator.model.virtual_router import VirtualRouter

Output: TypeAlias = Emit | Send | Became | Event
"""What is left for the process: frames to send, packets for hosts, and what to tell."""
OF_A_MEMBER = bytes((VERSION_AND_TYPE,))
"""First byte of what members say: VRRP routers leave it alone (DESIGN 8.1)."""


class Engine:
    """Joins the pure parts of layer 2. `boot_id` is random, new at each start."""

    def __init__(self, boot_id: bytes) -> None:
        self.shared = SharedVIPs(boot_id)
        self.routers = VirtualRouters()
        self.answering: dict[str, Answering] = {}
        self._given: Mapping[str, Port] = {}
        self._ports: Mapping[str, Port] = {}
        """As given, but for the order of addresses."""
        self._segments: Mapping[str, Port] = {}
        self._excluded: Sequence[re.Pattern[str]] = ()
        self._desired: Desired | None = None
        self._routers: Sequence[VirtualRouter] = ()
        self.handovers = 0
        """How often a virtual router began or ceased to answer for an address."""

    # Input

    def want(
        self,
        desired: Desired,
        routers: Sequence[VirtualRouter],
        excluded: Iterable[str],
        now: float,
    ) -> list[Output]:
        """Take what should be; `excluded` are regular expressions of ports without shared VIPs."""
        self._desired, self._routers = desired, routers
        self._excluded = tuple(re.compile(pattern) for pattern in excluded)
        output = self.ports(self._given, now) if self._arranged() != self._ports else []
        before, self._segments = self._segments, self._with_segments()
        if self._segments != before:
            output += self._do(self.shared.ports(self._segments, now), now)
        output += self._do(self.shared.want(desired, now), now)
        output += self._do(self.routers.want(routers, now), now, router=True)
        self._watch()
        return output

    def track(self, facts: Facts, now: float) -> list[Output]:
        """Take results of what virtual routers track."""
        return self._do(self.routers.track(facts, now), now, router=True)

    def ports(self, ports: Mapping[str, Port], now: float) -> list[Output]:
        """Take the Ethernet interfaces of this host as they are now."""
        self._given = ports
        self._ports = ports = self._arranged()
        self._segments = self._with_segments()
        for name in self.answering.keys() - ports.keys():
            del self.answering[name]
        output: list[Output] = []
        for name, port in ports.items():
            if name in self.answering:
                output += self.answering[name].port(port, now)
            else:
                self.answering[name] = Answering(port)
        self._watch()
        output += self._do(self.shared.ports(self._segments, now), now)
        return [*output, *self._do(self.routers.ports(ports, now), now, router=True)]

    def receive(self, port: str, frame: bytes, now: float) -> list[Output]:
        """Take a frame that carries protocol 112."""
        decoded = ip.decode(frame)
        if decoded is None or port not in self._ports:
            return []
        packet, mac = decoded
        if packet.payload[:1] != OF_A_MEMBER:
            return self._do(self.routers.receive(port, packet, now), now, router=True)
        if port not in self._segments:
            return []
        return self._do(self.shared.receive(port, packet, mac, now), now)

    def receive_arp(self, port: str, frame: bytes, now: float) -> list[Output]:
        """Take an ARP frame."""
        answering = self.answering.get(port)
        return [] if answering is None else self._heed(answering.receive_arp(frame, now), now)

    def receive_ndp(self, port: str, frame: bytes, now: float) -> list[Output]:
        """Take a frame of neighbor discovery."""
        answering = self.answering.get(port)
        return [] if answering is None else self._heed(answering.receive_ndp(frame, now), now)

    # Time

    def next_timer(self) -> float | None:
        """Return when `handle_timer` or `gratuitous` is to be called, or None."""
        timers = [self.shared.next_timer(), self.routers.next_timer()]
        timers += [answering.next_timer() for answering in self.answering.values()]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> list[Output]:
        """Do what is due but gratuitous frames, which `gratuitous` gives in small numbers."""
        output = self._do(self.shared.handle_timer(now), now)
        return [*output, *self._do(self.routers.handle_timer(now), now, router=True)]

    def gratuitous(self, now: float, limit: int = CHUNK) -> list[Emit]:
        """Return about `limit` gratuitous frames that are due; call again while there are more."""
        frames: list[Emit] = []
        for answering in self.answering.values():
            if len(frames) < limit:
                frames += answering.handle_timer(now, limit - len(frames))
        return frames

    def step_back(self, now: float, late_s: float) -> list[Output]:
        """Take it that this process slept for `late_s`: others may be master meanwhile (DESIGN 8.4).

        What has its timers that long apart anyway goes on.
        """
        output: list[Output] = []
        if self._desired is not None and late_s > 3 * self._desired.interval_s:
            output += self._do(self.shared.step_back(now), now)
        return [*output, *self._do(self.routers.step_back(now, late_s), now, router=True)]

    def leave(self, now: float) -> list[Output]:
        """Begin to hand everything over; call on until `finished`."""
        output = self._do(self.shared.leave(now), now)
        return [*output, *self._do(self.routers.leave(now), now, router=True)]

    def holds(self, router: VirtualRouter) -> bool:
        """Tell whether this host answers for any address of `router`."""
        answering = self.answering.get(router.interface)
        return answering is not None and any(
            answering.owns(own.ip) for own in (*router.addresses, *router.excluded_addresses)
        )

    @property
    def finished(self) -> bool:
        """Tell whether everything was handed over."""
        return self.shared.finished and self.routers.finished

    def about(self) -> dict[str, frozenset[IPAddress]]:
        """Return the addresses that ARP and neighbor discovery matter for, by port."""
        return {name: frozenset(self._about(name)) for name in self._ports}

    def _about(self, port: str) -> Iterator[IPAddress]:
        yield from self._own(port)
        if port in self._segments and self._desired is not None:
            yield from (wish.address for wish in self._desired.wishes)
            yield from self._desired.check_addresses
            yield from self._desired.gateways.get(port, ())

    # What the parts want

    def _arranged(self) -> dict[str, Port]:
        """Return the ports as given, with what others may own the next moment as no source."""
        return {
            name: port.own_first(frozenset(self._own(name))) for name, port in self._given.items()
        }

    def _with_segments(self) -> dict[str, Port]:
        if self._desired is None or not self._desired.shares:
            return {}
        return {
            name: port
            for name, port in self._ports.items()
            if not any(pattern.search(name) for pattern in self._excluded)
        }

    def _watch(self) -> None:
        """Have it reported when somebody else says it has one of our addresses."""
        shared = [wish.address for wish in self._desired.wishes] if self._desired else []
        for name, answering in self.answering.items():
            own = self._own(name)
            answering.watch([*shared, *own] if name in self._segments else own)

    def _own(self, port: str) -> list[IPAddress]:
        """Return the addresses of virtual routers on `port`."""
        return [
            address.ip
            for router in self._routers
            if router.interface == port
            for address in router.all_addresses
        ]

    def _do(self, actions: Iterable[Action], now: float, *, router: bool = False) -> list[Output]:
        """Act; addresses that are taken one after the other are announced together."""
        output: list[Output] = []
        taken: dict[str, list[tuple[IPAddress, MAC | None]]] = {}
        for action in actions:
            self.handovers += router and isinstance(action, Take | Release)
            if isinstance(action, Take):
                taken.setdefault(action.port, []).append((action.address, action.mac))
                continue
            if taken and isinstance(action, Release | Announce):
                output += self._take(taken, now, router=router)
                taken = {}
            output += self._do_one(action, now)
        return [*output, *self._take(taken, now, router=router)]

    def _take(
        self, taken: Mapping[str, list[tuple[IPAddress, MAC | None]]], now: float, *, router: bool
    ) -> list[Emit]:
        return [
            frame
            for port, addresses in taken.items()
            if port in self.answering
            for frame in self.answering[port].take(addresses, now, router=router)
        ]

    def _do_one(self, action: Action, now: float) -> Sequence[Output]:
        match action:
            case Release(port, address) if port in self.answering:
                self.answering[port].release((address,))
            case Announce(port, address) if port in self.answering:
                return self.answering[port].announce(address, now)
            case Probe(port, address) if port in self.answering:
                return self.answering[port].probe(address, now)
            case Send() if action.target.is_multicast and action.port in self._ports:
                packet = Packet(action.source, action.target, TTL, action.payload)
                sender = action.mac or self._ports[action.port].mac
                return [Emit(action.port, ip.encode(packet, sender))]
            case Send() | Emit() | Became() | Event():
                return [action]
        return []

    # What is heard of others

    def _heed(self, found: Iterable[Heard], now: float) -> list[Output]:
        output: list[Output] = []
        for one in found:
            if isinstance(one, Emit):
                output.append(one)
            elif isinstance(one, Claimant):
                output += self._rival(one, now)
            else:
                output += self._do(self.shared.answered(one.port, one.address, now), now)
        return output

    def _rival(self, claimant: Claimant, now: float) -> list[Output]:
        """Defend an address that a stranger says it has; a member may have good reason to."""
        port, address, mac = claimant.port, claimant.address, claimant.mac
        if self._is_other_router(claimant):
            self.answering[port].put_off(address, now)
            return []
        if address in self._own(port):
            return [*self._stranger(claimant), *self.answering[port].defend(address, now)]
        output = self._do(self.shared.saw_claimant(port, address, mac, now), now)
        if any(_is_conflict(one) for one in output):
            output += self.answering[port].defend(address, now)
        return output

    def _is_other_router(self, claimant: Claimant) -> bool:
        """Tell whether another router of the same virtual router says that it has the address.

        FRR's says so before its first advert: to answer would win its clients back for nobody.
        """
        return any(
            router.interface == claimant.port
            and claimant.mac == virtual_mac(router)
            and claimant.address in (address.ip for address in router.all_addresses)
            for router in self._routers
        )

    def _stranger(self, claimant: Claimant) -> list[Output]:
        """Say so while this host is master: a Backup hears of its master's address all the time."""
        if not self.answering[claimant.port].owns(claimant.address):
            return []
        mac = str(claimant.mac)
        text = f"{mac} says it has {claimant.address} too"
        conflict = Happening.ADDRESS_CONFLICT
        return [Event(claimant.port, conflict, claimant.address, mac, text)]


def _is_conflict(output: Output) -> bool:
    return isinstance(output, Event) and output.happening is Happening.ADDRESS_CONFLICT
