"""The referee: in peace each address that is wanted has one node that answers, and no cause no move."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.model.address import IPAddress
from tests.simulation.shared_host import Host
from tests.simulation.shared_views import NICS, Planner
from tests.simulation.story import FoulError

SLOT_S = 0.02
SPARE_S = 0.1
"""P6: 3 A + 0.1 s, and a slot for each member ranked before."""
LINGER_S = 1.0
OVERLAP_S = 0.05
"""Longest time that two answer while one hands over to a better one."""
CROWD = 30


class UnansweredError(FoulError):
    """An address that somebody wants is answered by nobody for longer than P6."""


class DoubleError(FoulError):
    """Two answer for one address although all hear all and see the same."""


class UnwantedError(FoulError):
    """A node answers for what it does not want."""


class MoveError(FoulError):
    """An address moved although no rule asks for it."""


Place = tuple[str, IPAddress]
"""A segment, by the name of the port on it, and an address."""


class Referee:
    """Looks at who answers for what, and knows since when nothing disturbs."""

    def __init__(self, planner: Planner, hosts: Mapping[str, Host]) -> None:
        self._planner = planner
        self._hosts = hosts
        self._settled_at = 0.0
        self._disturbed: set[str] = set()
        self._doubled: dict[Place, float] = {}
        self._owners: dict[Place, str] = {}
        self._away: set[str] = set()
        self._takes: dict[Place, int] = {}
        self.steady = False
        """Nothing happens that any rule moves an address for."""
        self.handing_over = False
        """Some node leaves or stopped to want, from peace: nothing may go unanswered on the way."""

    # What disturbs

    @property
    def interval_s(self) -> float:
        """The interval between hellos, which grows in a crowd."""
        return self._planner.rules.interval_s * max(1.0, len(self._hosts) / CROWD)

    @property
    def slots_s(self) -> float:
        """Time until the last candidate has had its slot."""
        return SPARE_S + SLOT_S * len(self._hosts)

    @property
    def failover_s(self) -> float:
        """P6."""
        return 3 * self.interval_s + self.slots_s

    @property
    def start_s(self) -> float:
        """Time until a node that listened first has settled with the others."""
        return 6 * self.interval_s + self.failover_s

    def disturb(self, now: float, settles_s: float) -> None:
        """Take it that something happened that may last for `settles_s`."""
        self._settled_at = max(self._settled_at, now + settles_s)
        self.handing_over = False

    def begin(self, disturbance: str) -> None:
        """Take it that something disturbs until further notice."""
        self._disturbed.add(disturbance)

    def end(self, disturbance: str) -> None:
        """Take it that one of the disturbances is over."""
        self._disturbed.discard(disturbance)

    def cut_off(self, name: str) -> None:
        """Take it that one node cannot hear, or cannot be heard: what it answers does not count."""
        self._away.add(name)

    def all_there(self) -> None:
        """Take it that nobody is cut off."""
        self._away.clear()

    def peace(self, now: float, since_s: float = 0.0) -> bool:
        """Tell whether all must be in order, and was for `since_s`."""
        return not self._disturbed and now >= self._settled_at + since_s

    # What is seen

    def took(self, place: Place) -> None:
        """Take it that a node began to answer for an address."""
        self._takes[place] = self._takes.get(place, 0) + 1

    def look(self, now: float, *, bridged: bool) -> None:
        """Judge all addresses as they are answered at this moment."""
        answering: dict[Place, list[str]] = {}
        for name, host in self._hosts.items():
            for nic, vip in host.answering if host.runs and name not in self._away else ():
                if host.up[nic]:
                    place = (NICS[0] if bridged else nic, vip)
                    answering.setdefault(place, []).append(name)
        if bridged:
            self._owners = {
                place: one for place, one in self._owners.items() if place[0] == NICS[0]
            }
        for segment in NICS[:1] if bridged else NICS:
            able = {name for name, host in self._hosts.items() if self._is_able(host, segment)}
            for vip, wanting in self._planner.wanting.items():
                nics = self._planner.rules.nics[vip]
                wanted = able & wanting if nics is None or segment in nics else set()
                place = (segment, vip)
                self._judge(place, answering.get(place, []), wanted, now)

    def _is_able(self, host: Host, segment: str) -> bool:
        there = host.runs and not host.leaving and host.name not in self._away
        return there and host.up.get(segment, False)

    def _judge(self, place: Place, answering: list[str], wanting: set[str], now: float) -> None:
        if not self.peace(now):
            self._owners.pop(place, None)
            self._doubled.pop(place, None)
            if self.handing_over and wanting and not answering:
                raise UnansweredError(f"{now:.4f} {place}: nobody, while it is handed over")
            return
        if wanting and not answering:
            raise UnansweredError(f"{now:.4f} {place}: nobody answers, {sorted(wanting)} want it")
        self._judge_number(place, answering, now)
        if not wanting.issuperset(answering) and now > self._settled_at + LINGER_S:
            raise UnwantedError(f"{now:.4f} {place}: {answering} answer, {sorted(wanting)} want it")
        self._judge_move(place, answering, now)

    def _judge_number(self, place: Place, answering: list[str], now: float) -> None:
        if len(answering) < 2:
            self._doubled.pop(place, None)
        elif now - self._doubled.setdefault(place, now) > OVERLAP_S:
            raise DoubleError(f"{now:.4f} {place}: {answering} answer")

    def _judge_move(self, place: Place, answering: list[str], now: float) -> None:
        if len(answering) != 1:
            return
        owner, before = answering[0], self._owners.get(place)
        self._owners[place] = owner
        if before in {None, owner}:
            return
        rules = self._planner.rules
        if self.steady or rules.rank(owner, place[1]) > rules.rank(str(before), place[1]):
            raise MoveError(f"{now:.4f} {place}: from {before} to {owner}")

    def judge_failover(self) -> None:
        """See that since the last `count_takes` no address had more than one taker."""
        if any(count > 1 for count in self._takes.values()):
            raise MoveError(f"more than one node took an address over: {self._takes}")

    def count_takes(self) -> None:
        """Begin to count who takes what."""
        self._takes.clear()

    def judge_best(self) -> None:
        """See that each address is where MetalLB would have it."""
        rules = self._planner.rules
        for (segment, vip), owner in self._owners.items():
            wanting = self._planner.wanting[vip]
            able = (name for name in wanting if self._is_able(self._hosts[name], segment))
            best = min(able, key=lambda name: rules.rank(name, vip), default=owner)
            if owner != best:
                raise MoveError(f"{vip} is at {owner}, and {best} is better")
