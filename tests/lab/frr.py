"""FRR (zebra and bgpd) in a node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import partial
from typing import Any

from orchestrator.lab.runner import Node
from tests.lab.polling import poll, require
from tests.lab.routes import Neighbor, Path, Rib, kernel_routes


def _neighbor_lines(neighbor: Neighbor) -> list[str]:
    """Lines of `router bgp` for this neighbor, the families apart."""
    options = {
        "password": neighbor.password,
        "ttl-security hops": neighbor.ttl_security_hops,
        "ebgp-multihop": neighbor.multihop,
        "port": neighbor.port,
        "timers": " ".join(map(str, neighbor.timers_s)) if neighbor.timers_s else None,
    }
    lines = [f"remote-as {neighbor.asn}", "timers connect 1", *neighbor.extra]
    lines += [f"{name} {value}" for name, value in options.items() if value is not None]
    lines += ["passive"] if neighbor.passive else []
    return [f"neighbor {neighbor.address} {line}" for line in lines]


def frr_config(
    asn: int,
    router_id: str,
    neighbors: Sequence[Neighbor],
    *,
    max_paths: int = 8,
    graceful_restart_s: int | None = None,
    extra: Sequence[str] = (),
) -> str:
    """frr.conf of a router that takes every route its neighbors send, with ECMP.

    `extra` are further lines inside `router bgp`. With `graceful_restart_s` the router keeps a
    restarting neighbor's routes that long at most.
    """
    lines = [f"router bgp {asn}", f"bgp router-id {router_id}", "no bgp ebgp-requires-policy"]
    lines += ["no bgp default ipv4-unicast", "no bgp network import-check", *extra]
    if graceful_restart_s is not None:
        lines += [
            "bgp graceful-restart",
            f"bgp graceful-restart stalepath-time {graceful_restart_s}",
        ]
    for neighbor in neighbors:
        lines += _neighbor_lines(neighbor)
    for family in ("ipv4", "ipv6"):
        active = [n.address for n in neighbors if family in n.families]
        lines += [f"address-family {family} unicast"]
        lines += [f"maximum-paths {max_paths}", f"maximum-paths ibgp {max_paths}"]
        lines += [f"neighbor {address} activate" for address in active]
        lines += ["exit-address-family"]
    return "\n".join([*lines, "end", ""])


WELL_KNOWN = {
    "gracefulShutdown": "65535:0",
    "blackhole": "65535:666",
    "noExport": "65535:65281",
    "noAdvertise": "65535:65282",
    "localAs": "65535:65283",
}
"""Communities that FRR names (RFC 1997, 7999, 8326)."""


class Frr:
    """zebra and bgpd in a node. Start with `start()`; `stop` and `kill` end both."""

    daemons: tuple[str, ...] = ("zebra", "bgpd")

    def __init__(
        self,
        node: Node,
        config: str | None = None,
        *,
        asn: int = 64500,
        router_id: str = "192.0.2.254",
        neighbors: Sequence[Neighbor] = (),
    ) -> None:
        require("/usr/lib/frr/bgpd")
        self.node = node
        self.config = frr_config(asn, router_id, neighbors) if config is None else config
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> Frr:
        """Start both daemons and load the configuration; AssertionError on a line FRR refuses."""
        self.node.run(["install", "-d", "-o", "frr", "-g", "frr", "/run/frr", "/var/tmp/frr"])
        self.node.run(["tee", "/etc/frr/frr.conf"], stdin=self.config)
        for daemon in self.daemons:
            argv = [f"/usr/lib/frr/{daemon}", "-u", "frr", "-g", "frr", "--log", "stdout"]
            self.processes[daemon] = self.node.spawn(argv)
            poll(partial(self._listens, daemon), what=f"{daemon} in {self.node.name} to start")
        loaded = self.node.run(["vtysh", "-b"], timeout_s=60, check=False)
        assert loaded.returncode == 0, loaded.stdout + loaded.stderr
        return self

    def _listens(self, daemon: str) -> bool:
        assert self.processes[daemon].poll() is None, f"{daemon} ended: see its log"
        show = ["vtysh", "-d", daemon, "-c", "show version"]
        return self.node.run(show, timeout_s=30, check=False).returncode == 0

    def stop(self) -> None:
        """End the daemons as an operator would (SIGTERM): neighbors get a notification."""
        self._end("terminate")

    def kill(self) -> None:
        """End the daemons with SIGKILL."""
        self._end("kill")

    def _end(self, how: str) -> None:
        for daemon in reversed(list(self.processes)):
            getattr(self.processes[daemon], how)()
        for process in self.processes.values():
            process.wait(30)
        self.processes.clear()

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill -9) and start again with the same configuration."""
        (self.kill if kill else self.stop)()
        self.start()

    def vtysh(self, *commands: str) -> str:
        """Run commands in one vtysh and return what it prints."""
        arguments = [part for command in commands for part in ("-c", command)]
        return self.node.run(["vtysh", *arguments], timeout_s=60).stdout

    def configure(self, *lines: str) -> None:
        """Enter lines of configuration."""
        self.vtysh("configure terminal", *lines)

    def json(self, command: str) -> Any:
        """Run `command json` and return what it says, {} when it says nothing."""
        return json.loads(self.vtysh(f"{command} json") or "{}")

    def sessions(self) -> dict[str, str]:
        """Neighbor -> state, such as Established."""
        neighbors = self.json("show bgp neighbors")
        return {name: n["bgpState"] for name, n in neighbors.items() if "bgpState" in n}

    def wait_established(self, *addresses: str, timeout_s: float = 60) -> None:
        """Wait until the sessions to `addresses` (to all neighbors when none are given) are up."""

        def up() -> bool:
            states = self.sessions()
            wanted = addresses or tuple(states)
            return bool(wanted) and all(states.get(a) == "Established" for a in wanted)

        poll(up, timeout_s, f"sessions of {self.node.name} to be Established")

    def rib(self, family: str = "ipv4") -> Rib:
        """All paths bgpd holds of a family ("ipv4" or "ipv6"), whether or not they are used."""
        text = self.vtysh(f"show bgp {family} unicast json detail")
        routes = json.loads(text).get("routes", {}) if text.strip() else {}
        return {
            prefix: [_frr_path(p) for p in paths if "nexthops" in p]
            for prefix, paths in routes.items()
        }

    def kernel_routes(self, family: str = "ipv4") -> dict[str, list[str]]:
        """Routes that bgpd has in the kernel of the node: prefix -> next hops."""
        return kernel_routes(self.node, family, "bgp")


def _frr_path(path: dict[str, Any]) -> Path:
    """One path of `show bgp ... json detail` in the form that `Rib` says."""
    hops = [hop for hop in path["nexthops"] if hop.get("scope") != "link-local"] or path["nexthops"]
    segments = path.get("aspath", {}).get("segments", [])
    return {
        "nexthop": hops[0]["ip"],
        "local_pref": path.get("locPrf", path.get("localPref")),
        "med": path.get("metric", path.get("med")),
        "communities": [
            WELL_KNOWN.get(name, name) for name in path.get("community", {}).get("list", [])
        ],
        "large": path.get("largeCommunity", {}).get("list", []),
        "as_path": [int(asn) for segment in segments for asn in segment["list"]],
        "best": path.get("bestpath", {}).get("overall", False),
    }
