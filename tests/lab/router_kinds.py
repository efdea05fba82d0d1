"""The ways to speak VRRP that keepalived and ours have in common, in the words of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.lab.keepalived import instance
from tests.lab.router_scene import virtual_router


@dataclass(frozen=True, slots=True)
class Kind:
    """One way: fields of a VirtualRouter, lines of a vrrp_instance, and what both share.

    Ours is at 10.0.0.1 and keepalived at 10.0.0.2.
    """

    name: str
    vrid: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    lines: str = ""
    interval_s: float = 0.1
    ipv6: bool = False

    def numbered(self, vrid: int) -> Kind:
        """Return the same way with another VRID, and so other addresses."""
        return replace(self, name=f"{self.name}-{vrid}", vrid=vrid)

    @property
    def asked(self) -> str:
        """The address that a client asks."""
        return f"fd00::{self.vrid}" if self.ipv6 else f"10.0.0.{self.vrid}"

    @property
    def addresses(self) -> list[str]:
        """The addresses in adverts."""
        return [f"fe80::{self.vrid}/64", f"{self.asked}/64"] if self.ipv6 else [f"{self.asked}/24"]

    def ours(self, priority: int, **fields: Any) -> str:
        """Text of the VirtualRouter."""
        spec = {**self.fields, "addresses": self.addresses, **fields}
        return virtual_router(self.name, vrid=self.vrid, priority=priority, **spec)

    def theirs(self, priority: int, lines: str = "") -> str:
        """Text of the vrrp_instance."""
        return instance(
            self.name,
            *self.addresses,
            vrid=self.vrid,
            priority=priority,
            interval=self.interval_s,
            lines=f"{self.lines}\n    {lines}",
        )


OLD = Kind(
    "old",
    51,
    {"version": 2, "advertIntervalMs": 1000, "authentication": {"password": "s3cret"}},
    "version 2\n    authentication {\n auth_type PASS\n auth_pass s3cret\n }",
    interval_s=1.0,
)
FOUR = Kind("four", 52)
SIX = Kind("six", 53, ipv6=True)
UNICAST = Kind(
    "unicast",
    54,
    {"unicastPeers": ["10.0.0.2"]},
    "unicast_src_ip 10.0.0.2\n    unicast_peer {\n 10.0.0.1\n }",
)
KINDS = (OLD, FOUR, SIX, UNICAST)
