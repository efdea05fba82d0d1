"""A conversation and the model of ExaBGP it is with, joined without sockets or clocks."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.bgp.actions import Note, Reconnect, SendLine, WriteConfiguration
from orchestrator.bgp.exabgp import Conversation
from orchestrator.bgp.render import Surroundings
from orchestrator.model.plan import Session
from orchestrator.model.policy import Peer
from orchestrator.model.route import PathAttributes, Rib, Route
from tests.fakes.exabgp import FakeExaBGP

OWN = ipaddress.ip_address("10.0.0.2")


def fake_peer(name: str, last: int, asn: int = 64500, **fields: Any) -> Peer:
    """A peer at 10.0.0.LAST, with our source address set."""
    address = ipaddress.ip_address(f"10.0.0.{last}")
    return Peer(name, 64500, asn, address, source_address=OWN, **fields)


def fake_rib(meds: Mapping[int, int]) -> Rib:
    """Routes 192.0.2.N/32 with a MED each."""
    routes = (
        Route(ipaddress.ip_network(f"192.0.2.{number}/32"), PathAttributes(med=med))
        for number, med in meds.items()
    )
    return {route.prefix: route for route in routes}


class Pair:
    """Runs both sides in turns on a clock that moves only here."""

    def __init__(self, pick: Callable[[int, int], int] = lambda _low, high: high) -> None:
        self.fake = FakeExaBGP(pick)
        self.talk = Conversation()
        self.now = 100.0
        self.sent: list[str] = []
        self.notes: list[Note] = []
        self._wanted: dict[Peer, Rib] = {}

    def connect(self) -> None:
        """The relay accepts the speaker."""
        self._do(self.talk.connected(self.now))

    def disconnect(self) -> None:
        """The connection ends; what was answered to it is lost, as the relay sees to."""
        self._do(self.talk.disconnected(self.now))
        while self.fake.turn():
            pass
        self.fake.read()

    def new_speaker(self) -> None:
        """The speaker is killed; another starts, and is told what to want."""
        self.disconnect()
        self.talk = Conversation()
        self.connect()
        self.want(self._wanted)

    def restart_exabgp(self) -> None:
        """ExaBGP and its relay are killed and start again."""
        self._do(self.talk.disconnected(self.now))
        self.fake.restart()
        self.connect()

    def want(self, ribs: Mapping[Peer, Rib]) -> None:
        """Want these peers with their routes."""
        self._wanted = dict(ribs)
        sessions = [Session("a", peer) for peer in ribs]
        around = Surroundings(OWN)
        by_name = {peer.name: rib for peer, rib in ribs.items()}
        self._do(self.talk.want(sessions, by_name, around, self.now))

    def step(self) -> bool:
        """One turn of ExaBGP, and what the conversation makes of it."""
        busy = self.fake.turn()
        data = self.fake.read()
        if data:
            self._do(self.talk.receive(data, self.now))
        return busy or bool(data)

    def settle(self, limit_s: float = 120.0) -> None:
        """Go on until nothing happens any more, letting time pass where a timer waits for it."""
        end = self.now + limit_s
        while self.now < end:
            while self.step():
                self.now += 0.001
            timer = self.talk.next_timer()
            if timer is None:
                return
            self.now = max(self.now + 0.001, timer)
            self._do(self.talk.handle_timer(self.now))

    def up(self, *peers: Peer) -> None:
        """The routers of `peers` agree to a session, as far as ExaBGP knows of them."""
        for peer in peers:
            if str(peer.address) in self.fake.peers:
                self.fake.session_up(str(peer.address))

    def down(self, *peers: Peer) -> None:
        """The sessions of `peers` end."""
        for peer in peers:
            if str(peer.address) in self.fake.peers:
                self.fake.session_down(str(peer.address))

    def held(self, peer: Peer) -> dict[int, int]:
        """What the router of `peer` holds: last number of the prefix -> MED."""
        wire = self.fake.peers[str(peer.address)].wire
        return {
            int(prefix.split("/")[0].split(".")[3]): int(dict(attributes)["med"])
            for prefix, attributes in wire.items()
        }

    def _do(self, actions: list[Any]) -> None:
        for action in actions:
            match action:
                case SendLine(text):
                    self.sent.append(text)
                    self.fake.write(text)
                case WriteConfiguration(text):
                    self.fake.file = text
                case Note():
                    self.notes.append(action)
                case Reconnect():
                    self.disconnect()
                    self.connect()
                case _:
                    pass
