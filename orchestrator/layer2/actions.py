"""What the pure parts of layer 2 want done, as values (DESIGN 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.model.address import IPAddress


@dataclass(frozen=True, slots=True)
class Send:
    """Send an IP packet of protocol 112 with TTL 255 out of `port`.

    `target` is a group or one host on the link. `mac` is the virtual router's MAC to send from,
    None for the port's own.
    """

    port: str
    source: IPAddress
    target: IPAddress
    payload: bytes
    mac: MAC | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Send a whole Ethernet frame out of `port`."""

    port: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class Take:
    """Answer for `address` on `port` from now on, and tell the segment so at once.

    `mac` is the virtual MAC to answer with, None for the port's own.
    """

    port: str
    address: IPAddress
    mac: MAC | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Answer for `address` on `port` no longer."""

    port: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class Announce:
    """Repeat the gratuitous frames of `address`, owned all along: a rival may have been believed."""

    port: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask by ARP or NDP who has `address`.

    So a node that lost all members looks whether its link works, and an owner whether another answers.
    """

    port: str
    address: IPAddress


class RouterState(Enum):
    """State of a virtual router (RFC 9568 6.4); FAULT is down because of something tracked."""

    INIT = "init"
    BACKUP = "backup"
    MASTER = "master"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Became:
    """The virtual router `router` changed state; `reason` is a phrase for people."""

    router: str
    old: RouterState
    new: RouterState
    priority: int
    reason: str


class Happening(Enum):
    """What is worth telling about the members of a segment and who owns what."""

    MEMBER_JOINED = "memberJoined"
    MEMBER_LEFT = "memberLeft"
    MEMBER_DIED = "memberDied"
    CLAIMED = "claimed"
    RELEASED = "released"
    ISOLATED = "isolated"
    REJOINED = "rejoined"
    SAME_NAME = "sameName"
    MERGED = "merged"
    STEPPED_BACK = "steppedBack"
    ADDRESS_CONFLICT = "addressConflict"
    KERNEL_ANSWERS = "kernelAnswers"


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened on `port`; `about` is a member or the MAC of a stranger, empty for none."""

    port: str
    happening: Happening
    address: IPAddress | None = None
    about: str = ""
    message: str = ""


Action: TypeAlias = Send | Emit | Take | Release | Announce | Probe | Became | Event
