"""What the demo's story needs from the place it is played in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SeenPath:
    """One path to the VIP in R1's BGP table."""

    next_hop: str
    local_pref: int
    communities: tuple[str, ...]
    used: bool


class DemoError(Exception):
    """Something the demo promises is not so; the message says what was expected and seen."""


class Scene(Protocol):
    """Three appliances and R1, in network namespaces or on loopback addresses."""

    @property
    def title(self) -> str:
        """What is being set up, in a few words."""

    @property
    def appliances(self) -> Mapping[str, str]:
        """Name -> address of the three appliances."""

    @property
    def requests(self) -> str:
        """Who asks whom, for the line about requests."""

    @property
    def left_out(self) -> Sequence[str]:
        """What this place cannot show."""

    def start(self) -> None:
        """Start R1, the appliances and the servers behind the VIP."""

    def close(self) -> None:
        """End everything; nothing is left."""

    def established(self) -> frozenset[str]:
        """Addresses of the appliances whose session with R1 is Established."""

    def paths(self) -> Sequence[SeenPath]:
        """R1's paths to the VIP."""

    def summary(self) -> str:
        """R1's table of sessions, for people."""

    def bgp_table(self) -> str:
        """R1's BGP table, for people."""

    def table(self) -> str:
        """R1's routes from BGP, for people."""

    def kernel_hops(self) -> tuple[str, frozenset[str]] | None:
        """R1's kernel route to the VIP and its next hops; None where there is no kernel route."""

    def ask(self, count: int) -> Mapping[str, int]:
        """Send requests to the VIP; answers by name of the appliance."""

    def stop(self, name: str) -> None:
        """Stop an appliance in an orderly way."""

    def drain(self, name: str, wait_s: int) -> None:
        """Drain an appliance; its route is withdrawn after `wait_s` seconds."""

    def resume(self, names: Sequence[str]) -> None:
        """Start appliances that were stopped, and take drains back."""

    def look_around(self) -> Sequence[str]:
        """Commands with which to look around, for `--stay`."""
