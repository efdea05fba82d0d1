"""Plays one virtual router: what happens goes in, what it does is read in short words."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from orchestrator.layer2.actions import Action, Announce, Became, Release, Send, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Advert, Packet, decode, encode
from orchestrator.layer2.port import Port
from orchestrator.layer2.routers.tracking import Standing
from orchestrator.layer2.routers.virtual_router import VirtualRouterMachine
from orchestrator.model.address import IPAddress
from orchestrator.model.virtual_router import VirtualRouter

NIC = "eth0"
OWN = "192.0.2.100"
VIP = "192.0.2.254"
START = 1000.0


def router(**changes: Any) -> VirtualRouter:
    """A virtual router with an address, changed in some fields; addresses are given as text."""
    for name in ("addresses", "excluded_addresses"):
        if name in changes:
            changes[name] = tuple(map(ipaddress.ip_interface, changes[name]))
    usual: dict[str, Any] = {"addresses": (ipaddress.ip_interface(f"{VIP}/24"),)}
    fixed: dict[str, Any] = {"name": "gw", "interface": NIC, "vrid": 51}
    return VirtualRouter(**(fixed | usual | changes))


def port(
    *addresses: str, name: str = NIC, up: bool = True, mac: bytes = bytes((2, 0, 0, 0, 0, 1))
) -> Port:
    """An interface."""
    given = addresses or (f"{OWN}/24", "fe80::100/64")
    return Port(name, 2, MAC(mac), up, tuple(map(ipaddress.ip_interface, given)))


def packet_of(advert: Advert, source: str, target: str = "") -> Packet:
    """The packet that carries an advert to its group, or to a host."""
    six = ":" in source
    to = ipaddress.ip_address(target or ("ff02::12" if six else "224.0.0.18"))
    start = ipaddress.ip_address(source)
    return Packet(start, to, TTL, encode(advert, start, to))


def advert_of(mine: VirtualRouter, priority: int, **changes: Any) -> Advert:
    """An advert that another router of the same configuration sends."""
    own: dict[str, Any] = {
        "version": mine.version,
        "vrid": mine.vrid,
        "priority": priority,
        "interval_ms": mine.advert_interval_ms,
        "addresses": tuple(address.ip for address in mine.addresses),
        "password": mine.password,
    }
    return Advert(**(own | changes))


def words(actions: Sequence[Action]) -> list[str]:
    """Say what actions do, without interfaces and MACs."""
    return [_word(action) for action in actions]


def _word(action: Action) -> str:
    match action:
        case Send(source=source, target=target, payload=payload):
            advert = decode(Packet(source, target, TTL, payload))
            assert isinstance(advert, Advert)
            return f"advert {advert.priority}"
        case Take(address=address):
            return f"take {address}"
        case Release(address=address):
            return f"release {address}"
        case Announce(address=address):
            return f"announce {address}"
        case Became(old=old, new=new):
            return f"{old.value} > {new.value}"
        case _:
            return str(action)


LEADS = ["advert 100", f"take {VIP}", "backup > master"]
YIELDS = ["advert 100", f"release {VIP}", "master > backup"]


class Play:
    """One machine on one interface, started at START, and its clock."""

    def __init__(self, mine: VirtualRouter, at: Port | None = None) -> None:
        self.now = START
        self.machine = VirtualRouterMachine(mine, at or port(), Standing(mine.priority), START)
        self.started = words(self.machine.start(START))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass and timers fire."""
        end = self.now + seconds
        done: list[str] = []
        due = self.machine.next_timer()
        while due is not None and due <= end:
            self.now = due
            done += words(self.machine.handle_timer(due))
            due = self.machine.next_timer()
        self.now = end
        return done

    def hear(self, priority: int, source: str = "192.0.2.9", **changes: Any) -> list[str]:
        """Let an advert of another router come in."""
        advert = advert_of(self.machine.router, priority, **changes)
        return words(self.machine.receive(packet_of(advert, source), self.now))

    @property
    def left_s(self) -> float | None:
        """Time until its timer is due."""
        due = self.machine.next_timer()
        return None if due is None else round(due - self.now, 9)

    def lead(self) -> None:
        """Let it become Master, and its first two adverts go."""
        self.wait(self.left_s or 0.0)
        self.wait(self.left_s or 0.0)


def address(text: str) -> IPAddress:
    """Shorter."""
    return ipaddress.ip_address(text)
