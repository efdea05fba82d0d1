"""Settings: what holds for the whole installation rather than for one object (DESIGN 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.address import IPAddress


class Transport(Enum):
    """How hellos travel between the members of a segment (DESIGN 8.1)."""

    MULTICAST = "multicast"
    UNICAST = "unicast"


MEMBER_KEY = "secretkey"
"""Key in a Secret under which members find theirs, as in MetalLB's Secret `memberlist`."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Who shares VIPs on layer 2, and how members hear each other (DESIGN 8.1).

    `vrid` is the number of the installation on its segments. `auth_secret` names the Secret whose
    keys authenticate hellos: of `keys` the first is sent and all are accepted. `check_addresses`
    are asked by ARP or NDP before a node that has lost all members claims more; none means the
    default gateway. `known` is false while the only Settings object is faulty and no good version
    of it was ever read.
    """

    vrid: int = 1
    interval_ms: int = 100
    preempt_delay_ms: int = 5000
    auth_secret: str | None = None
    transport: Transport = Transport.MULTICAST
    check_addresses: tuple[IPAddress, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    known: bool = True

    @property
    def may_speak(self) -> bool:
        """Tell whether this node can be a member: what it would say is known, and its key."""
        return self.known and (self.auth_secret is None or bool(self.keys))


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Level and format of the logs; None leaves what the command line or its default says."""

    level: str | None = None
    format: str | None = None


DEFAULT_EXCLUDED_INTERFACES = (
    "^docker.*",
    "^cbr.*",
    "^dummy.*",
    "^virbr.*",
    "^lxcbr.*",
    "^veth.*",
    "^lo$",
    "^cali.*",
    "^tunl.*",
    "^flannel.*",
    "^kube-ipvs.*",
    "^cni.*",
    "^nodelocaldns.*",
    "^lxc.*",
)
"""Interfaces that carry no segment (metallb.md 4.5)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The `Settings` object.

    `excluded_interfaces` are regular expressions of interfaces that carry no segment.
    `max_draining` is how many nodes drain at once. `drain_on_cordon`: a cordoned node drains too. `bgp_status_objects` asks for one
    ServiceBGPStatus for each Service and node. `http` is ADDRESS:PORT or `off`; None leaves what
    the command line or its default says.
    """

    membership: Membership = field(default_factory=Membership)
    excluded_interfaces: tuple[str, ...] = DEFAULT_EXCLUDED_INTERFACES
    max_draining: int = 1
    drain_on_cordon: bool = False
    bgp_status_objects: bool = False
    http: str | None = None
    log: LogSettings = field(default_factory=LogSettings)


DEFAULT_SETTINGS = Settings()
"""What is so where no object says otherwise."""
