"""BIRD 2 in a node."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from orchestrator.lab.runner import Node
from tests.lab.polling import poll, require
from tests.lab.routes import Neighbor, Path, Rib, kernel_routes


def bird_config(asn: int, router_id: str, neighbors: Sequence[Neighbor]) -> str:
    """bird.conf of a router that takes every route its neighbors send, with ECMP."""
    lines = [
        f"router id {router_id};",
        "log stderr all;",
        "protocol device {}",
        "protocol direct {ipv4; ipv6;}",
    ]
    lines += [
        f"protocol kernel {{ {family} {{ export where source = RTS_BGP; }}; merge paths on; }}"
        for family in ("ipv4", "ipv6")
    ]
    for number, neighbor in enumerate(neighbors, start=1):
        lines += _bird_protocol(asn, number, neighbor)
    return "\n".join([*lines, ""])


def _bird_protocol(asn: int, number: int, neighbor: Neighbor) -> list[str]:
    options = [
        f"local as {asn};",
        "connect retry time 1;",
        "connect delay time 1;",
        "error wait time 1, 2;",
    ]
    options += [f'password "{neighbor.password}";'] if neighbor.password else []
    options += ["passive on;"] if neighbor.passive else []
    options += ["ttl security on;"] if neighbor.ttl_security_hops else []
    options += [f"multihop {neighbor.multihop};"] if neighbor.multihop else []
    options += [f"{line};" for line in neighbor.extra]
    if neighbor.timers_s:
        options += [f"keepalive time {neighbor.timers_s[0]};", f"hold time {neighbor.timers_s[1]};"]
    port = f" port {neighbor.port}" if neighbor.port else ""
    channels = [f"{family} {{ import all; export none; }};" for family in neighbor.families]
    return [
        f"protocol bgp peer{number} {{",
        f"neighbor {neighbor.address}{port} as {neighbor.asn};",
        *options,
        *channels,
        "}",
    ]


class Bird:
    """bird in a node; its protocols are named peer1, peer2, ... when made from `neighbors`."""

    SOCKET = "/run/bird.ctl"

    def __init__(
        self,
        node: Node,
        config: str | None = None,
        *,
        asn: int = 64500,
        router_id: str = "192.0.2.253",
        neighbors: Sequence[Neighbor] = (),
    ) -> None:
        require("bird", "birdc")
        self.node = node
        self.config = bird_config(asn, router_id, neighbors) if config is None else config
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Bird:
        """Start bird; AssertionError with its words when it refuses the configuration."""
        self.node.run(["tee", "/etc/bird/bird.conf"], stdin=self.config)
        argv = ["bird", "-f", "-c", "/etc/bird/bird.conf", "-s", self.SOCKET]
        tried = self.node.run([*argv, "-p"], check=False)
        assert tried.returncode == 0, tried.stdout + tried.stderr
        self.process = self.node.spawn(argv)
        show = ["birdc", "-s", self.SOCKET, "show", "status"]
        poll(lambda: self.node.run(show, check=False).returncode == 0, what="bird to start")
        return self

    def stop(self) -> None:
        """End bird with SIGTERM."""
        self._end(kill=False)

    def kill(self) -> None:
        """End bird with SIGKILL."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self.process:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait(30)
            self.process = None

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill -9) and start again with the same configuration."""
        self._end(kill=kill)
        self.start()

    def birdc(self, command: str) -> str:
        """Run a command of birdc and return what it prints."""
        return self.node.run(["birdc", "-s", self.SOCKET, *command.split()], timeout_s=60).stdout

    def sessions(self) -> dict[str, str]:
        """Protocol -> its BGP state, such as Established."""
        rows = [line.split() for line in self.birdc("show protocols").splitlines()]
        return {row[0]: row[-1] for row in rows if len(row) > 5 and row[1] == "BGP"}

    def wait_established(self, timeout_s: float = 60) -> None:
        """Wait until every BGP protocol is Established."""

        def up() -> bool:
            states = self.sessions().values()
            return bool(states) and set(states) == {"Established"}

        poll(up, timeout_s, f"sessions of bird in {self.node.name} to be Established")

    def rib(self, family: str = "ipv4") -> Rib:
        """All BGP paths of a family."""
        table = "master4" if family == "ipv4" else "master6"
        return parse_bird_routes(self.birdc(f"show route all table {table}"))

    def kernel_routes(self, family: str = "ipv4") -> dict[str, list[str]]:
        """Routes that bird put into the kernel: prefix -> next hops, sorted."""
        return kernel_routes(self.node, family, protocol="bird")


def parse_bird_routes(text: str) -> Rib:
    """Read `show route all` of BIRD 2.0: a path begins with a line that names its protocol."""
    found: Rib = {}
    prefix = ""
    path: Path = {}
    for line in text.splitlines():
        if head := re.match(r"(\S+/\d+)?\s+(unicast|unreachable) \[(\S+) [^]]*\]( \*)?", line):
            prefix = head[1] or prefix
            path = {
                "nexthop": None,
                "local_pref": None,
                "med": None,
                "communities": [],
                "large": [],
            }
            path |= {"as_path": [], "best": bool(head[4]), "peer": head[3]}
            found.setdefault(prefix, []).append(path)
        elif field := re.match(r"\s+BGP\.(\w+): ?(.*)", line):
            path |= _bird_field(field[1], field[2])
    bgp = {prefix: [p for p in paths if p.get("bgp")] for prefix, paths in found.items()}
    return {prefix: paths for prefix, paths in bgp.items() if paths}


def _bird_field(name: str, value: str) -> Path:
    tuples = sorted(
        ":".join(re.findall(r"\d+", part)) for part in re.findall(r"\(([^)]*)\)", value)
    )
    if name == "origin":
        return {"bgp": True}
    if name == "as_path":
        return {"as_path": [int(asn) for asn in value.split()]}
    if name == "next_hop":
        return {"nexthop": value.split(maxsplit=1)[0]}
    if name in {"local_pref", "med"}:
        return {name: int(value)}
    lists = {"community": "communities", "large_community": "large"}
    return {lists[name]: tuples} if name in lists else {}
