"""FRR's vrrpd in a node, with the macvlan interfaces that it wants for its virtual MACs."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from orchestrator.lab.runner import Node
from tests.lab.frr import Frr
from tests.lab.polling import poll


def _macvlan(interface: str, vrid: int, addresses: Sequence[str]) -> list[list[str]]:
    """Make commands that add the interface for a VRID and a family (FRR's manual, VRRP)."""
    version = ipaddress.ip_interface(addresses[0]).version
    name = f"vrrp{version}-{vrid}"
    mac = f"00:00:5e:00:0{1 if version == 4 else 2}:{vrid:02x}"
    lines = [f"ip link add {name} link {interface} address {mac} type macvlan mode bridge"]
    lines += [f"ip link set {name} addrgenmode random"]
    lines += [f"ip addr add {a} dev {name}{' nodad' * (version == 6)}" for a in addresses]
    lines += [f"ip link set {name} up"]
    return [line.split() for line in lines]


class Vrrpd(Frr):
    """zebra and vrrpd with one virtual router of each family that has addresses."""

    daemons = ("zebra", "vrrpd")

    def __init__(
        self,
        node: Node,
        addresses: Sequence[str],
        *,
        vrid: int = 51,
        priority: int = 100,
        interval_ms: int = 100,
        extra: Sequence[str] = (),
    ) -> None:
        self._vrid = vrid
        self._addresses = [ipaddress.ip_interface(address) for address in addresses]
        numbers = [f"ip{'v6' * (a.version == 6)} {a.ip}" for a in self._addresses]
        settings = ["version 3", f"priority {priority}", f"advertisement-interval {interval_ms}"]
        lines = [f"vrrp {vrid} {line}" for line in (*settings, *numbers, *extra)]
        super().__init__(node, "\n".join(["interface eth1", *lines, "exit", "end", ""]))

    def start(self) -> Vrrpd:
        """Make the interfaces, start both daemons and load the configuration."""
        for version in (4, 6):
            own = [str(a) for a in self._addresses if a.version == version]
            for command in _macvlan("eth1", self._vrid, own) if own else ():
                self.node.run(command)
        super().start()
        return self

    def _router(self, version: int) -> dict[str, Any]:
        (router,) = self.json(f"show vrrp {self._vrid}")
        found: dict[str, Any] = router[f"v{version}"]
        return found

    def state(self, version: int = 4) -> str:
        """State of the virtual router of a family, such as Master or Backup."""
        return str(self._router(version)["status"])

    def transitions(self, version: int = 4) -> int:
        """How often the virtual router of a family has changed its state."""
        return int(self._router(version)["stats"]["transitions"])

    def wait_state(self, state: str, version: int = 4, timeout_s: float = 15) -> None:
        """Wait until the virtual router of a family is in a state."""
        poll(
            lambda: self.state(version) == state,
            timeout_s,
            f"vrrpd's router of IPv{version} to be {state}",
        )
