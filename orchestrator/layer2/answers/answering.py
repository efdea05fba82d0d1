"""Answers ARP and neighbor solicitations for owned addresses on one port, and announces them.

Needs no address on the interface: questions are answered from here (DESIGN 8.3).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.layer2.actions import Emit
from orchestrator.layer2.answers.conflict import DEFEND_S, TELL_S, Answered, Claimant, Pace
from orchestrator.layer2.answers.gratuitous import CHUNK, FIRST_FORM, Schedule
from orchestrator.layer2.frames import arp, ndp
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.port import Port
from orchestrator.model.address import IPAddress

Heard: TypeAlias = Emit | Claimant | Answered
PROBE_S = 10.0
"""How long what is heard from a probed address counts as an answer."""
_MOST_PROBED = 64
_ARP_IPV4 = bytes.fromhex("0806000108000604")
_REQUEST, _REPLY = b"\0\1", b"\0\2"
_ARP_LENGTH = 42
_TARGET_OF_ND = slice(62, 78)


@dataclass(slots=True)
class Counts:
    """What was done for an address: questions answered, gratuitous frames sent."""

    answered: int = 0
    gratuitous: int = 0


@dataclass(slots=True)
class _Owned:
    """An address that is answered; `reply` is an ARP reply without the two ends of the asker."""

    address: IPAddress
    virtual: MAC | None
    router: bool
    mac: MAC
    counts: Counts
    frames: tuple[bytes, ...] = ()
    reply: bytes = b""


class Answering:
    """One port: what is owned there, what was heard of it, when it is announced again."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._owned: dict[bytes, _Owned] = {}
        self._watched: dict[bytes, IPAddress] = {}
        self._probed: dict[bytes, tuple[IPAddress, float]] = {}
        self._counts: dict[IPAddress, Counts] = {}
        self._ready: dict[bytes, _Owned] = {}
        self._ours = {port.mac}
        self._schedule = Schedule()
        self._told = Pace(TELL_S)
        self._defended = Pace(DEFEND_S)

    @property
    def counts(self) -> Mapping[IPAddress, Counts]:
        """What was done for each address that is owned or watched."""
        return self._counts

    @property
    def owned(self) -> frozenset[IPAddress]:
        """The addresses answered for."""
        return frozenset(owned.address for owned in self._owned.values())

    def owns(self, address: IPAddress) -> bool:
        """Tell whether `address` is answered for."""
        return address.packed in self._owned

    def port(self, port: Port, now: float) -> list[Emit]:
        """Note how the port is now: after a change that others must know, announce what is owned."""
        before, self._port = self._port, port
        moved = (before.mac, before.index) != (port.mac, port.index)
        if moved:
            self._ours = {port.mac}
        if moved or before.link_local != port.link_local:
            for owned in {**self._ready, **self._owned}.values():
                self._make(owned)
        if not port.up:
            self._schedule.clear()
        elif moved or not before.up:
            self._start(self._owned.values(), now)
        return self.handle_timer(now)

    def watch(self, addresses: Iterable[IPAddress]) -> None:
        """Report who else claims these, the addresses this node has candidates for.

        Their frames are made ahead: a takeover must not wait for them. What was counted of an
        address that is neither owned nor watched any longer is forgotten.
        """
        self._watched = {address.packed: address for address in addresses}
        ready = self._ready
        self._ready = {
            key: ready.get(key) or self._made(address, None, router=False)
            for key, address in self._watched.items()
        }
        kept = {*self._watched.values(), *self.owned}
        self._counts = {a: counts for a, counts in self._counts.items() if a in kept}

    def take(
        self, addresses: Iterable[tuple[IPAddress, MAC | None]], now: float, *, router: bool = False
    ) -> list[Emit]:
        """Answer for `addresses` from now on, each with its virtual MAC or with the port's.

        Returns the first chunk of frames that announce them; `handle_timer` gives the others.
        `router` says that hosts have them as default gateway (`ndp.unsolicited`).
        """
        for address, virtual in addresses:
            known = self._owned.get(address.packed)
            if known is None or (known.virtual, known.router) != (virtual, router):
                self._own(address, virtual, now, router=router)
        return self.handle_timer(now)

    def _own(self, address: IPAddress, virtual: MAC | None, now: float, *, router: bool) -> None:
        owned = self._ready.get(address.packed)
        if owned is None or (virtual, router) != (None, False):
            owned = self._made(address, virtual, router=router)
        owned.counts = self._counts.setdefault(address, owned.counts)
        self._owned[address.packed] = owned
        self._start((owned,), now)

    def _made(self, address: IPAddress, virtual: MAC | None, *, router: bool) -> _Owned:
        owned = _Owned(address, virtual, router, self._port.mac, Counts())
        self._make(owned)
        return owned

    def release(self, addresses: Iterable[IPAddress]) -> None:
        """Answer for `addresses` no longer."""
        for address in addresses:
            self._owned.pop(address.packed, None)
            self._schedule.stop(address)

    def announce(self, address: IPAddress, now: float) -> list[Emit]:
        """Begin anew to tell where an owned address is; nothing for another."""
        owned = self._owned.get(address.packed)
        self._start((owned,) if owned else (), now)
        return self.handle_timer(now)

    def defend(self, address: IPAddress, now: float) -> list[Emit]:
        """Say once that an owned address is here, at most once in 10 s (RFC 5227 2.4)."""
        owned = self._owned.get(address.packed)
        if owned is None or not self._port.up or not self._defended.may(address, now):
            return []
        return self._round(owned, FIRST_FORM)

    def put_off(self, address: IPAddress, now: float) -> None:
        """Go on answering for an address, but say nothing of it unasked for a while."""
        self._schedule.put_off(address, now)

    def probe(self, address: IPAddress, now: float) -> list[Emit]:
        """Ask who has `address`; an answer is reported."""
        self._probed = {key: asked for key, asked in self._probed.items() if asked[1] > now}
        if not self._port.up or len(self._probed) >= _MOST_PROBED:
            return []
        self._probed[address.packed] = (address, now + PROBE_S)
        if isinstance(address, ipaddress.IPv4Address):
            return [Emit(self._port.name, arp.ask(address, self._port.mac, self._port.ipv4))]
        source = self._port.link_local
        frame = ndp.ask(address, self._port.mac, source) if source else None
        return [Emit(self._port.name, frame)] if frame else []

    def next_timer(self) -> float | None:
        """Return when something is to be announced next."""
        return self._schedule.next_timer()

    def handle_timer(self, now: float, limit: int = CHUNK) -> list[Emit]:
        """Announce what is due, about `limit` frames at most; call again while a timer is over."""
        due = self._schedule.due(now, limit)
        return [
            emit
            for address, forms in due
            for emit in self._round(self._owned[address.packed], forms)
        ]

    def _start(self, owned: Iterable[_Owned], now: float) -> None:
        """Begin the rounds of `owned`; a port that is down hears of all when it comes up."""
        if self._port.up:
            for one in owned:
                self._schedule.start(one.address, now)

    def _round(self, owned: _Owned, forms: slice) -> list[Emit]:
        frames = owned.frames[forms]
        owned.counts.gratuitous += len(frames)
        return [Emit(self._port.name, frame) for frame in frames]

    def _make(self, owned: _Owned) -> None:
        """Make the frames that announce an address and answer for it."""
        owned.mac = owned.virtual or self._port.mac
        self._ours.add(owned.mac)
        address = owned.address
        if isinstance(address, ipaddress.IPv4Address):
            owned.frames = arp.announcements(address, owned.mac)
            owned.reply = owned.mac + _ARP_IPV4 + _REPLY + owned.mac + address.packed
        else:
            source = self._source(address)
            owned.frames = (ndp.unsolicited(address, owned.mac, source, router=owned.router),)

    def _source(self, address: ipaddress.IPv6Address) -> ipaddress.IPv6Address:
        """Return where an advertisement is sent from: an address of the port, else the VIP."""
        return self._port.link_local or address

    def receive_arp(self, frame: bytes, now: float) -> list[Heard]:
        """Take an ARP frame: answer a question for an owned address, report what is of interest."""
        if len(frame) < _ARP_LENGTH or frame[12:20] != _ARP_IPV4 or frame[22] & 1:
            return []
        asker, sender = frame[22:28], frame[28:32]
        heard = self._hear(sender, asker, now)
        owned = self._owned.get(frame[38:_ARP_LENGTH])
        if owned is None or frame[20:22] != _REQUEST or sender in self._owned:
            return heard
        if asker in self._ours:
            return heard
        owned.counts.answered += 1
        return [*heard, Emit(self._port.name, asker + owned.reply + asker + sender)]

    def receive_ndp(self, frame: bytes, now: float) -> list[Heard]:
        """Take a frame of neighbor discovery, as `receive_arp` does."""
        key = frame[_TARGET_OF_ND]
        if key not in self._owned and key not in self._watched and key not in self._probed:
            return []
        message = ndp.decode(frame)
        if isinstance(message, ndp.Advertisement):
            return self._hear(key, message.mac, now)
        owned = self._owned.get(key)
        if owned is None or message is None:
            return []
        return self._answer(owned, message)

    def _answer(self, owned: _Owned, question: ndp.Solicitation) -> list[Heard]:
        if question.source_mac.is_multicast or question.source_mac in self._ours:
            return []
        owned.counts.answered += 1
        source = self._source(question.target)
        frame = ndp.answer(question, owned.mac, source, router=owned.router)
        return [Emit(self._port.name, frame)]

    def _hear(self, key: bytes, mac: bytes, now: float) -> list[Heard]:
        """Report that the address packed as `key` was said to be at `mac`, where that matters."""
        heard: list[Heard] = []
        if mac in self._ours:
            return heard
        asked = self._probed.pop(key, None)
        if asked is not None and now < asked[1]:
            heard.append(Answered(self._port.name, asked[0], MAC(mac)))
        owned = self._owned.get(key)
        address = owned.address if owned else self._watched.get(key)
        if address is not None and self._told.may((key, mac), now):
            heard.append(Claimant(self._port.name, address, MAC(mac)))
        return heard
