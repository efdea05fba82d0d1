"""What this node says on one segment: hellos on schedule, claims on change and again (DESIGN 8.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from orchestrator.layer2.actions import Send
from orchestrator.layer2.port import Port
from orchestrator.layer2.shared.claim import Claims, ClaimSet, Entry, encode_claims, ranges, split
from orchestrator.layer2.shared.hello import Hello, Report, State, encode_hello, window
from orchestrator.layer2.shared.liveness import MISSED_INTERVALS
from orchestrator.layer2.shared.member_frame import FRESH, PARTIAL, ROUTINE, Head
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired
from orchestrator.model.settings import Transport

GROUP_V4 = ipaddress.IPv4Address("224.0.0.254")
GROUP_V6 = ipaddress.IPv6Address("ff02::114")
"""Groups for experiments (RFC 4727): no VRRP router listens there."""
REFRESH_S = 5.0
"""Time between repetitions of all claims."""
HURRY_SHARE = 0.25
"""Share of an interval that is between two hellos at least."""
CROWD = 30
"""With more members the interval grows, so that what all of them say together does not."""
_NEVER = float("-inf")
_LAST_EPOCH = (1 << 32) - 1


class Voice:
    """Makes the frames of one port. `counter` numbers all frames of this process."""

    def __init__(self, boot: bytes, counter: Iterator[int], claims: ClaimSet) -> None:
        self._boot = boot
        self._counter = counter
        self._claims = claims
        self._port: Port | None = None
        self._desired: Desired | None = None
        self._routes: tuple[tuple[IPAddress, IPAddress], ...] = ()
        self._turn = 0
        self._said: tuple[object, ...] = ()
        self.epoch = 0
        self.counted = 0
        self.hello_due = 0.0
        self.hello_sent = _NEVER
        self.hello_counter = 0
        self.changed = _NEVER
        self.repeated = _NEVER

    def place(self, port: Port, desired: Desired) -> bool:
        """Speak on `port` as `desired` says; False when there is no way to send anything."""
        self._port, self._desired = port, desired
        self._routes = tuple(_routes(port, desired))
        return bool(self._routes) or _reaches_nodes(port, desired)

    def interval_s(self, members: int) -> float:
        """Return the time between hellos with so many living members beside this node."""
        own = self._desired.interval_s if self._desired is not None else 0.0
        return own * max(1.0, (members + 1) / CROWD)

    # Frames

    def hello(
        self, state: State, members: int, reports: Sequence[Report], now: float
    ) -> list[Send]:
        """Say that this node lives and whom it hears, and set the time of the next hello."""
        interval_s = self.interval_s(members)
        due = self.hello_due + interval_s
        self.hello_due = due if due > now else now + interval_s
        self.hello_sent = now
        self._turn += 1
        name = self._name
        shown = window(reports, name, self._turn)
        flags = PARTIAL if len(shown) < len(reports) else 0
        flags |= ROUTINE if self._is_routine(state, reports, interval_s) else 0
        head = self._head(flags)
        self.hello_counter = head.counter
        hello = Hello(head, state, interval_s, self.epoch, self._claims.digest, shown)
        return self._send(encode_hello(hello, self._keys))

    def hurry(self, members: int, now: float) -> None:
        """Let the next hello be soon."""
        soonest = self.hello_sent + HURRY_SHARE * self.interval_s(members)
        self.hello_due = min(self.hello_due, max(now, soonest))

    def _is_routine(self, state: State, reports: Sequence[Report], interval_s: float) -> bool:
        """Tell whether a hello has nothing new for anybody: it may be read a little later."""
        assert self._desired is not None
        said = state, self.epoch, self._desired.fresh, tuple(report.boot for report in reports)
        before, self._said = self._said, said
        missed_ms = MISSED_INTERVALS * interval_s * 1000
        missed = any(report.age_ms >= missed_ms for report in reports)
        return state is State.MEMBER and said == before and not missed

    def change(self, entries: Sequence[Entry], now: float) -> list[Send]:
        """Say which claims began and ended."""
        self.epoch = self.epoch % _LAST_EPOCH + 1
        self.changed = now
        return [send for piece in split(entries, self._name) for send in self._claim(piece)]

    def repeat(self, now: float) -> list[Send]:
        """Say all claims."""
        self.repeated = now
        return [
            send
            for after, piece, flags in ranges(self._claims.claims, self._name)
            for send in self._claim(piece, after, flags)
        ]

    def _claim(
        self, entries: tuple[Entry, ...], after: bytes | None = None, flags: int = 0
    ) -> list[Send]:
        frame = Claims(self._head(flags), self.epoch, self._claims.digest, entries, after)
        return self._send(encode_claims(frame, self._keys))

    @property
    def repeat_due(self) -> float:
        """When all claims are to be repeated; never without any."""
        since = max(self.repeated, self.changed)
        return since + REFRESH_S if self._claims.claims else float("inf")

    @property
    def _name(self) -> str:
        assert self._desired is not None  # nothing is said before there is something to say
        return self._desired.node

    @property
    def _keys(self) -> tuple[bytes, ...]:
        assert self._desired is not None
        return self._desired.keys

    def _head(self, flags: int) -> Head:
        assert self._desired is not None
        assert self._port is not None
        self.counted = next(self._counter)
        desired = self._desired
        flags |= FRESH if desired.fresh else 0
        index = self._port.index
        return Head(desired.vrid, self._boot, self.counted, index, desired.node, flags)

    def _send(self, payload: bytes) -> list[Send]:
        assert self._port is not None
        name = self._port.name
        return [Send(name, source, target, payload) for source, target in self._routes]


def _routes(port: Port, desired: Desired) -> Iterator[tuple[IPAddress, IPAddress]]:
    """Yield source and target of each packet that carries a frame."""
    if desired.transport is Transport.UNICAST:
        yield from _unicast(port, desired)
    elif port.ipv4 is not None:
        yield port.ipv4, GROUP_V4
    elif port.link_local is not None:
        yield port.link_local, GROUP_V6


def _unicast(port: Port, desired: Desired) -> Iterator[tuple[IPAddress, IPAddress]]:
    """Yield the way to every node whose address is on the link; one way for each node."""
    own = {one.ip for one in port.addresses}
    for node, addresses in desired.peers.items():
        ways = (
            (one.ip, peer) for peer in addresses for one in port.addresses if peer in one.network
        )
        way = next((way for way in ways if way[1] not in own), None)
        if way is not None and node != desired.node:
            yield way


def _reaches_nodes(port: Port, desired: Desired) -> bool:
    """Tell whether a port without peers is a segment: over unicast the one with this node's address."""
    unicast = desired.transport is Transport.UNICAST
    return unicast and any(one.ip in desired.internal_addresses for one in port.addresses)
