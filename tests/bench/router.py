"""FRR as the receiving router, and time stamps of what happens in it.

Asking vtysh takes more time than what is measured here. So nobody asks: bgpd logs with its own time
stamp what it puts into its RIB or takes out (`debug bgp updates in`), and `ip -ts monitor route` in
the router's namespace writes down when the kernel follows. Both are read afterwards. All clocks
are the host's. Between the two lies FRR's own pace: bgpd lets routes gather for 50 ms before it
chooses the best paths, and zebra for 10 ms before it writes them.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.lab.harness import Frr, Neighbor, Node, frr_config, poll

RECEIVED = re.compile(r"(\S+ \S+) BGP:.* rcvd (?:UPDATE about )?(\d\S+/\d+) ")
FROM = re.compile(r"(\S+ \S+) BGP:.*?(\d+\.\d+\.\d+\.\d+)\S* rcvd (?:UPDATE about )?(\d\S+/\d+) ")
UP = re.compile(r"(\S+ \S+) BGP:.*ADJCHANGE: neighbor (\S+) .*Up")
FORM = "%Y/%m/%d %H:%M:%S.%f"


@dataclass(slots=True)
class Stamps:
    """When a prefix came to be (or ceased to be) in bgpd's RIB and in the kernel, seconds."""

    rib: float
    kernel: float


class Router:
    """FRR that takes what 10.0.0.2 announces, with iBGP inside AS 64500."""

    def __init__(self, node: Node, workdir: Path, *, trace: bool) -> None:
        self.node = node
        self._trace = trace
        self.frr = Frr(node)
        self._monitor = workdir / "monitor.log"
        self._log = node.logs / f"{node.name}-bgpd.log"

    def start(self) -> Router:
        """Start FRR and the monitor of the kernel's routes."""
        neighbors = [Neighbor("10.0.0.2", 64500)]
        config = frr_config(64500, "192.0.2.254", neighbors, extra=["bgp log-neighbor-changes"])
        head = ["log timestamp precision 6", *(["debug bgp updates in"] if self._trace else [])]
        self.frr.config = "\n".join([*head, config])
        self.frr.start()
        self.node.spawn(["ip", "-ts", "-o", "monitor", "route"], log=self._monitor)
        return self

    def count(self) -> int:
        """Return how many prefixes bgpd has from the neighbor."""
        summary = self.frr.json("show bgp ipv4 unicast summary")
        return int(summary.get("peers", {}).get("10.0.0.2", {}).get("pfxRcd", 0))

    def sizes(self) -> tuple[int, int]:
        """Return where the two logs end now."""
        return self._log.stat().st_size, self._monitor.stat().st_size

    def wait_for(self, prefix: str, since: tuple[int, int], limit_s: float = 20.0) -> Stamps:
        """Wait until what was done after `since` shows for `prefix`, and return when it did."""

        def seen() -> Stamps | None:
            taken = self._first(self._log, since[0], RECEIVED, prefix)
            kernel = self._kernel(since[1], prefix)
            return Stamps(taken, kernel) if taken and kernel else None

        return poll(seen, limit_s, f"{prefix} to change", interval_s=0.01)

    def _first(self, log: Path, since: int, pattern: re.Pattern[str], prefix: str) -> float | None:
        for line in _lines(log, since):
            found = pattern.match(line)
            if found and found[2] == prefix:
                return datetime.strptime(found[1], FORM).astimezone().timestamp()
        return None

    def _kernel(self, since: int, prefix: str) -> float | None:
        host = prefix.removesuffix("/32")
        for line in _lines(self._monitor, since):
            if re.search(rf"\b{re.escape(host)}(/32)? ", line):
                return _stamp(line)
        return None

    def up_at(self, limit_s: float = 60.0) -> float:
        """Wait for the session; return when it came up the last time."""

        def last() -> float | None:
            ups = [found for line in _lines(self._log, 0) if (found := UP.match(line))]
            return datetime.strptime(ups[-1][1], FORM).astimezone().timestamp() if ups else None

        return poll(last, limit_s, "the session to come up")

    def all_installed_at(self, count: int, limit_s: float = 120.0) -> float:
        """Wait for `count` routes of ours in the kernel; return when the last came."""

        def full() -> float | None:
            stamps = [_stamp(line) for line in _lines(self._monitor, 0) if " 198.18." in line]
            return stamps[count - 1] if len(stamps) >= count else None

        return poll(full, limit_s, f"{count} routes", interval_s=0.25)


class Arrivals:
    """What bgpd's log says of prefixes that came and went, read on from where it ended before."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._at = 0
        self.seen: dict[str, list[tuple[float, str]]] = {}
        """Moments (wall clock) and neighbors, by prefix without its length."""

    def read(self) -> None:
        """Read what was written since the last time."""
        with self._log.open("rb") as stream:
            stream.seek(self._at)
            text = stream.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            if found := FROM.match(line):
                moment = datetime.strptime(found[1], FORM).astimezone().timestamp()
                self.seen.setdefault(found[3].partition("/")[0], []).append((moment, found[2]))

    def of(self, address: str, after: float, neighbors: int, limit_s: float = 60.0) -> list[float]:
        """Wait until so many neighbors told of an address after a moment; when each did first."""

        def first() -> list[float] | None:
            self.read()
            found: dict[str, float] = {}
            for moment, neighbor in self.seen.get(address, ()):
                if moment >= after:
                    found.setdefault(neighbor, moment)
            return sorted(found.values()) if len(found) >= neighbors else None

        return poll(first, limit_s, f"{address} to change", interval_s=0.002)


def _lines(log: Path, since: int) -> list[str]:
    with log.open("rb") as stream:
        stream.seek(since)
        return stream.read().decode("utf-8", "replace").splitlines()


def _stamp(line: str) -> float:
    text = line[1 : line.index("]")]
    return datetime.fromisoformat(text).astimezone().timestamp()


def now() -> float:
    """Return the time of the clock that FRR's log is written with."""
    return time.time()
