"""What is true about nodes and addresses, and what each node's plan makes of it at the time it sees it."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.settings import Transport
from tests.simulation.chances import Chances

NICS = ("eth0", "eth1")
GATEWAY = 254


@cache
def address_on(segment: int, node: int) -> IPAddress:
    """The address of a node, or of the gateway, on a segment."""
    return ipaddress.ip_address(f"10.0.{segment}.{node}")


@dataclass(frozen=True)
class Rules:
    """What stays the same through one play."""

    nodes: tuple[str, ...]
    vips: tuple[IPAddress, ...]
    nodes_known: bool
    scores: Mapping[tuple[str, IPAddress], int]
    nics: Mapping[IPAddress, frozenset[str] | None]
    preempt_delay_s: float
    gateway: bool
    transport: Transport
    interval_s: float = 0.1

    def rank(self, node: str, vip: IPAddress) -> tuple[int, bytes]:
        """Where a node stands for an address: score, then MetalLB's hash; the lower is the better."""
        score = self.scores[node, vip] if self.nodes_known else 0
        return -score, hashlib.sha256(f"{node}#{vip}".encode()).digest()

    def numbers(self) -> Mapping[str, int]:
        """The last number of each node's addresses."""
        return {node: at + 1 for at, node in enumerate(self.nodes)}


@dataclass(frozen=True)
class View:
    """What can be known: who may answer and is well, and which keys are used."""

    unfit: frozenset[tuple[str, IPAddress]] = frozenset()
    sick: frozenset[tuple[str, IPAddress]] = frozenset()
    gone: frozenset[IPAddress] = frozenset()
    keys: tuple[bytes, ...] = ()

    def wants(self, node: str, vip: IPAddress) -> bool:
        """Tell whether a node wants an address."""
        return vip not in self.gone and not {(node, vip)} & (self.unfit | self.sick)


@dataclass
class Planner:
    """Makes what each node wants."""

    rules: Rules
    view: View = field(default_factory=View)
    stale: set[str] = field(default_factory=set)
    wanting: dict[IPAddress, frozenset[str]] = field(default_factory=dict)
    """Who wants each address by what is true now."""

    def __post_init__(self) -> None:
        self._see()

    def _see(self) -> None:
        nodes, view = self.rules.nodes, self.view
        self.wanting = {
            vip: frozenset(node for node in nodes if view.wants(node, vip))
            for vip in self.rules.vips
        }

    def wishes(self, node: str, view: View) -> tuple[Wish, ...]:
        """The wishes of a node by a view."""
        return tuple(self._wish(node, vip, view) for vip in self.rules.vips if vip not in view.gone)

    def _wish(self, node: str, vip: IPAddress, view: View) -> Wish:
        rules = self.rules
        order = None
        if rules.nodes_known:
            fit = [one for one in rules.nodes if (one, vip) not in view.unfit]
            order = tuple(sorted(fit, key=lambda one: rules.rank(one, vip)))
        score = -rules.rank(node, vip)[0]
        return Wish(vip, vip, view.wants(node, vip), score, rules.nics[vip], order)

    def desired(self, node: str, view: View) -> Desired:
        """All that a node wants by a view; its own health it knows at once."""
        rules = self.rules
        peers = {
            name: (address_on(0, number), address_on(1, number))
            for name, number in rules.numbers().items()
        }
        gateways = {nic: (address_on(at, GATEWAY),) for at, nic in enumerate(NICS)}
        return Desired(
            node,
            preempt_delay_s=rules.preempt_delay_s,
            interval_s=rules.interval_s,
            keys=view.keys,
            transport=rules.transport,
            peers=peers,
            gateways=gateways if rules.gateway else {},
            complete=True,
            fresh=node not in self.stale,
            wishes=self.wishes(node, view),
        )

    def change(self, number: int) -> None:
        """Let something about one node and one address be different from now on."""
        rules, view = self.rules, self.view
        node = rules.nodes[number % len(rules.nodes)]
        vip = rules.vips[number // 64 % len(rules.vips)]
        kind = number // 4096 % 8
        if kind == 0:
            self.view = replace(view, gone=view.gone ^ {vip})
        elif kind <= 2:
            self.view = replace(view, unfit=view.unfit ^ {(node, vip)})
        else:
            self.view = replace(view, sick=view.sick ^ {(node, vip)})
        self._see()


def draw_rules(chances: Chances) -> Rules:
    """Draw what one play is about: mostly few nodes, at times a crowd."""
    crowd = chances.below(100) == 0
    count = chances.between(20, 50) if crowd else chances.one_of((2, 2, 3, 3, 3, 4, 5, 8))
    nodes = tuple(f"n{number}" for number in range(count))
    vips = tuple(
        ipaddress.ip_address(f"192.0.2.{number}") for number in range(chances.between(1, 5))
    )
    return Rules(
        nodes,
        vips,
        nodes_known=bool(chances.below(3)),
        scores={(n, v): 10 * (chances.below(4) == 0) for n in nodes for v in vips},
        nics={v: chances.one_of((None, None, None, frozenset(NICS[:1]))) for v in vips},
        preempt_delay_s=chances.one_of((0.0, 0.5, 1.0)),
        gateway=bool(chances.below(2)),
        transport=chances.one_of((Transport.MULTICAST, Transport.MULTICAST, Transport.UNICAST)),
    )
