"""A model of ExaBGP 5.0.15: its API, its adj-rib-out with the traps, and the routers behind it.

It keeps what the real one keeps (a cache of what a peer should hold, a queue grouped by attribute
set in first-seen order) and so gets the order of changes wrong in the same ways (reference 0, traps
1, 2, 3, 7, 9). What a router holds is `FakePeer.wire`; tests assert on that.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Attributes = tuple[tuple[str, str], ...]
"""Attribute words of a command, such as (("med", "5"), ("next-hop", "10.0.0.1"))."""
Changes = dict[str, Attributes | None]
WITHDRAWN: Attributes = (("", ""),)
"""The attribute set that withdraws are queued under."""
NEIGHBOR = re.compile(r"^neighbor (\S+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
LISTS = ("community", "large-community", "as-path")


def setting(body: str, name: str) -> str:
    """Return the value of a statement in a neighbor's section."""
    found = re.search(rf"^\s*{name} \"?([^\";]+)\"?;", body, re.MULTILINE)
    return found[1] if found else ""


@dataclass
class FakePeer:
    """One neighbor: what ExaBGP means it to hold, what waits, and what the router really holds."""

    address: str
    body: str
    up: bool = False
    wire: dict[str, Attributes] = field(default_factory=dict)
    cache: dict[str, Attributes] = field(default_factory=dict)
    queue: dict[Attributes, Changes] = field(default_factory=dict)
    latest: Changes = field(default_factory=dict)
    batch: deque[Changes] = field(default_factory=deque)
    ends: deque[str] = field(default_factory=deque)
    ended: list[str] = field(default_factory=list)
    stalled: bool = False
    extended: bool = False
    """Whether the router takes IPv6 next hops for IPv4 routes (RFC 8950)."""
    include_withdraw: bool = False
    _withdraws: bool = False
    resets: int = 0
    overlaps: int = 0
    """Changes that came while another of the same prefix was queued: trap 1."""

    @property
    def local(self) -> str:
        """Own address in this session."""
        found = setting(self.body, "local-address")
        return "10.255.255.1" if found == "auto" else found

    @property
    def graceful(self) -> bool:
        """Tell whether graceful restart is configured."""
        return "manual-eor true" in self.body

    def announce(self, prefix: str, attributes: Attributes) -> None:
        """Queue an announce unless the cache has it already."""
        if self.cache.get(prefix) != attributes:
            self._put(prefix, attributes, attributes)
            self.cache[prefix] = attributes

    def withdraw(self, prefix: str) -> None:
        """Queue a withdraw, also of what is not known."""
        before = self.latest.get(prefix)
        if prefix in self.latest:
            self.queue.get(before or WITHDRAWN, {}).pop(prefix, None)
        self._put(prefix, WITHDRAWN, None)
        self.cache.pop(prefix, None)

    def _put(self, prefix: str, group: Attributes, attributes: Attributes | None) -> None:
        self.overlaps += self.up and prefix in self.latest
        self.queue.setdefault(group, {})[prefix] = attributes
        self.latest[prefix] = attributes

    def start(self) -> None:
        """Begin a session: all of the cache is queued again."""
        self.include_withdraw, self.stalled = False, False
        self.wire.clear()
        self.ended.clear()
        for prefix, attributes in list(self.cache.items()):
            if self.takes(prefix, attributes):
                self._put(prefix, attributes, attributes)
        self.up = True
        self._take_batch()

    def takes(self, prefix: str, attributes: Attributes) -> bool:
        """Tell whether the session carries a route; our launcher leaves out what it does not."""
        return self.extended or ":" in prefix or ":" not in dict(attributes)["next-hop"]

    def _take_batch(self) -> None:
        self.batch = deque(dict(group) for group in self.queue.values() if group)
        self.queue, self.latest = {}, {}
        self._withdraws = self.include_withdraw

    def stop(self) -> None:
        """End the session; what was queued is forgotten, the cache is not."""
        if self.up:
            self.resets += 1
        self.up = False
        self.wire.clear()
        self.queue, self.latest = {}, {}
        self.batch.clear()
        self.ends.clear()

    def send_one(self) -> tuple[str, Any] | None:
        """Write one UPDATE to the router; returns what the event is about."""
        if not self.up or self.stalled:
            return None
        if not self.batch and self.latest:
            self._take_batch()
        if self.batch:
            return self._send_update(self.batch.popleft())
        if self.ends:
            self.ended.append(self.ends.popleft())
            return ("eor", self.ended[-1])
        return None

    def _send_update(self, changes: Changes) -> tuple[str, Changes]:
        sent: Changes = {}
        for prefix, attributes in changes.items():
            if attributes is not None:
                self.wire[prefix] = sent[prefix] = attributes
            elif self._withdraws:
                self.wire.pop(prefix, None)
                sent[prefix] = None
        if not self.batch:
            self.include_withdraw = True
        return ("update", sent)


class FakeExaBGP:
    """ExaBGP's side of the relay. Feed it lines, let it take turns, read what it wrote.

    `pick(low, high)` decides how much is done in a turn.
    """

    def __init__(self, pick: Callable[[int, int], int] = lambda _low, high: high) -> None:
        self._pick = pick
        self.file = ""
        self.peers: dict[str, FakePeer] = {}
        self.commands: deque[str] = deque()
        self.reloading = False
        self.lost_reloads = 0
        self.refuses = False
        self._out: list[str] = []

    # what the tests do

    def read(self) -> bytes:
        """Take what was written since."""
        text = "".join(f"{line}\n" for line in self._out)
        self._out.clear()
        return text.encode("ascii")

    def write(self, line: str) -> None:
        """Give it one command."""
        self.commands.append(line)

    def turn(self) -> bool:
        """Let the reactor go round once; False when there was nothing to do."""
        busy = self._maybe_reload()
        for _ in range(self._pick(1, 25)):
            if not self.commands:
                break
            busy = True
            self._command(self.commands.popleft())
        for peer in self.peers.values():
            for _ in range(self._pick(1, 5)):
                sent = peer.send_one()
                if sent is None:
                    break
                busy = True
                self._event(peer, *sent)
        return busy

    def session_up(self, address: str) -> None:
        """The router and ExaBGP agree."""
        peer = self.peers[address]
        if not peer.up:
            peer.start()
            if negotiated := self._negotiated(peer):
                neighbor = {**self._neighbor(peer), **negotiated}
                event = {"exabgp": "5.0.0", "type": "negotiated", "neighbor": neighbor}
                self._out.append(json.dumps(event))
            self._state(peer, "up")

    def session_down(self, address: str, reason: str = "peer reset") -> None:
        """The session ends."""
        peer = self.peers[address]
        if peer.up:
            peer.stop()
            self._state(peer, "down", reason)

    def restart(self) -> None:
        """ExaBGP dies and starts again with its file."""
        self.peers.clear()
        self.commands.clear()
        self._out.clear()
        self.reloading = False
        self._load()

    # reload

    def _maybe_reload(self) -> bool:
        if not self.reloading:
            return False
        self.reloading = False
        if any(peer.latest for peer in self.peers.values()):
            self.lost_reloads += 1  # trap 7: silently lost
            return True
        if not self.refuses:
            self._load()
        return True

    def _load(self) -> None:
        wanted = dict(NEIGHBOR.findall(self.file))
        for address in [one for one in self.peers if one not in wanted]:
            self.session_down(address, "removed")
            del self.peers[address]
        for address, body in wanted.items():
            peer = self.peers.setdefault(address, FakePeer(address, body))
            if peer.body != body:
                peer.body = body
                self.session_down(address, "changed")

    # commands

    def _command(self, line: str) -> None:
        words = line.split()
        assert line.isascii(), line
        for forbidden in ("shutdown ", "reset ", "restart ", "crash "):
            assert forbidden not in f"{line} ", f"trap 5: {line}"
        if line == "reload":
            self.reloading = True
            self._out += ["reload in progress", "done"]
        elif line == "show neighbor json":
            self._out += [json.dumps([self._shown(peer) for peer in self.peers.values()]), "done"]
        elif line == "show neighbor configuration":
            self._show_configuration()
        elif line.startswith("show adj-rib out json"):
            self._show_routes(words[4] if len(words) > 4 else "")
        elif line == "clear adj-rib out":
            for peer in self.peers.values():
                for prefix in list(peer.cache):
                    peer.withdraw(prefix)
            self._out.append("done")
        else:
            self._to_peer(line, words)

    def _to_peer(self, line: str, words: list[str]) -> None:
        peer = self.peers.get(words[1]) if words[0] == "neighbor" else None
        if peer is None or not self._selected(peer, line):
            self._out.append("error")
            return
        command = line.split(" peer-as ")[1].split(" ", 1)[1] if " peer-as " in line else ""
        self._out.append("done" if self._act(peer, command or " ".join(words[2:])) else "error")

    @staticmethod
    def _selected(peer: FakePeer, line: str) -> bool:
        for name in ("local-as", "peer-as"):
            given = re.search(rf" {name} (\d+)", line)
            if given and given[1] != setting(peer.body, name):
                return False
        return True

    def _act(self, peer: FakePeer, command: str) -> bool:
        words = command.split()
        match words[:2]:
            case ["announce", "route"]:
                peer.announce(words[2], attributes_of(words[3:]))
            case ["announce", "attributes"]:
                at = words.index("nlri")
                for prefix in words[at + 1 :]:
                    peer.announce(prefix, attributes_of(words[2:at]))
            case ["withdraw", "route"]:
                peer.withdraw(words[2])
            case ["withdraw", "attributes"]:
                for prefix in words[3:]:
                    peer.withdraw(prefix)
            case ["announce", "eor"] if peer.up:
                peer.ends.append(words[2])
            case ["teardown", _]:
                self.session_down(peer.address, "teardown")
            case _:
                return False
        return True

    # what it writes

    def _neighbor(self, peer: FakePeer) -> dict[str, Any]:
        return {"address": {"local": peer.local, "peer": peer.address}}

    @staticmethod
    def _negotiated(peer: FakePeer) -> dict[str, Any]:
        """What `negotiated;` in its api section adds to events."""
        if " negotiated;" not in peer.body:
            return {}
        return {"negotiated": {"nexthop": ["ipv4 unicast ipv6"] if peer.extended else []}}

    def _state(self, peer: FakePeer, state: str, reason: str = "") -> None:
        neighbor = {**self._neighbor(peer), "state": state, "reason": reason}
        self._out.append(json.dumps({"exabgp": "5.0.0", "type": "state", "neighbor": neighbor}))

    def _event(self, peer: FakePeer, kind: str, what: Any) -> None:
        message: dict[str, Any]
        if kind == "eor":
            message = {"eor": {"afi": what, "safi": "unicast"}}
            self._update(peer, message)
            return
        by_attributes: dict[Attributes, list[str]] = {}
        gone = [prefix for prefix, attributes in what.items() if attributes is None]
        for prefix, attributes in what.items():
            if attributes is not None:
                by_attributes.setdefault(attributes, []).append(prefix)
        if gone:
            nlri = [{"nlri": prefix} for prefix in gone]
            self._update(peer, {"update": {"withdraw": {"ipv4 unicast": nlri}}})
        for attributes, prefixes in by_attributes.items():
            shown = shown_attributes(attributes, texts=False)
            hop = self._hop(peer, attributes)
            announce = {"ipv4 unicast": {hop: [{"nlri": prefix} for prefix in prefixes]}}
            self._update(peer, {"update": {"attribute": shown, "announce": announce}})

    def _update(self, peer: FakePeer, message: dict[str, Any]) -> None:
        sent = {"direction": "send", "message": message}
        neighbor = {**self._neighbor(peer), **sent, **self._negotiated(peer)}
        self._out.append(json.dumps({"exabgp": "5.0.0", "type": "update", "neighbor": neighbor}))

    @staticmethod
    def _hop(peer: FakePeer, attributes: Attributes) -> str:
        hop = dict(attributes)["next-hop"]
        return peer.local if hop == "self" else hop

    @staticmethod
    def _shown(peer: FakePeer) -> dict[str, Any]:
        return {
            "state": "down",
            "fsm": "ESTABLISHED" if peer.up else "ACTIVE",
            "local": {"address": peer.local},
            "peer": {"address": peer.address},
            "families": re.findall(r"ipv\d unicast", peer.body) if peer.up else [],
        }

    def _show_configuration(self) -> None:
        for peer in self.peers.values():
            self._out.append(f"neighbor {peer.address} {{")
            self._out.append(f'  description "{setting(peer.body, "description")}";')
            self._out.append("}")
        self._out.append("done")

    def _show_routes(self, prefix_of_address: str) -> None:
        for peer in self.peers.values():
            if peer.address.startswith(prefix_of_address):
                for prefix, attributes in peer.cache.items():
                    nlri = {"prefix": prefix, "nexthop": self._hop(peer, attributes)}
                    shown = shown_attributes(attributes, texts=True)
                    line = {"peer": {"address": peer.address}}
                    self._out.append(
                        json.dumps({**line, "route": {"nlri": nlri, "attributes": shown}})
                    )
        self._out.append("done")


def attributes_of(words: list[str]) -> Attributes:
    """Read the attribute words of a command into a set that can be compared."""
    text = " ".join(words)
    found = re.findall(r"(\S+) (?:\[ ([^\]]*) \]|(\S+))", text)
    return tuple(sorted((name, many or one) for name, many, one in found))


def shown_attributes(attributes: Attributes, *, texts: bool) -> dict[str, Any]:
    """Attributes as ExaBGP's JSON has them; communities as texts in answers, lists in events."""
    shown: dict[str, Any] = {}
    for name, value in attributes:
        if name == "as-path":
            asns = [int(asn) for asn in value.split()]
            shown[name] = {"0": {"element": "as-sequence", "value": asns}}
        elif name in LISTS:
            parts = value.split()
            shown[name] = parts if texts else [[int(n) for n in p.split(":")] for p in parts]
        elif name != "next-hop":
            shown[name] = int(value)
    return shown
