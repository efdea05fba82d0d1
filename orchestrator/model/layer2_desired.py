"""What this node's plan asks of layer 2: which addresses it may answer for, and its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.address import IPAddress
from orchestrator.model.settings import Transport


@dataclass(frozen=True, slots=True)
class Wish:
    """One address that is elected on layer 2, whether or not this node wants it (DESIGN 8.1).

    `key` is hashed with the names of nodes. `wanted`: this node may answer, its endpoints or health
    are good and it does not drain. `score` is that of this node. `interfaces` None means all
    segments. `candidates` are in order of rank; None without Node objects: all live members by
    hash.
    """

    address: IPAddress
    key: IPAddress
    wanted: bool
    score: int = 0
    interfaces: frozenset[str] | None = None
    candidates: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole desired state of shared addresses on this node.

    `keys` authenticate hellos: the first is sent, all are accepted, none means no authentication.
    `peers` are the addresses of the other nodes, for unicast. `check_addresses` are asked before a
    node that lost all members claims more, `gateways` by port where there are none. Nothing is
    claimed before `complete`. `fresh`: the plan's sources answered lately. A segment counts in
    verdicts when a member was heard on it, it is in `named_interfaces` or has one of
    `internal_addresses`. Without `shares` nothing can ever be shared, and this node says no word.
    """

    node: str
    vrid: int = 1
    interval_s: float = 0.1
    preempt_delay_s: float = 5.0
    keys: tuple[bytes, ...] = ()
    transport: Transport = Transport.MULTICAST
    peers: Mapping[str, tuple[IPAddress, ...]] = field(default_factory=dict)
    check_addresses: tuple[IPAddress, ...] = ()
    gateways: Mapping[str, tuple[IPAddress, ...]] = field(default_factory=dict)
    complete: bool = False
    fresh: bool = True
    wishes: tuple[Wish, ...] = ()
    named_interfaces: frozenset[str] = frozenset()
    internal_addresses: frozenset[IPAddress] = frozenset()
    shares: bool = True
