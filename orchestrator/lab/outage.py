"""Asks an address again and again, and writes down for how long nobody answered.

`python -m orchestrator.lab.outage ADDRESS PORT INTERVAL_MS` asks `orchestrator.lab.echo` until TERM. Each time the answering node changes, or nobody answered for longer than a few
intervals, it writes a JSON line `{"at", "gap_s", "before", "after"}` with the moment of the answer
that ended it; at the end one with `{"sent", "answered", "longest_s", "by"}`. Moments are of the
monotonic clock, which all nodes of a host share.
"""

from __future__ import annotations

import ipaddress
import json
import select
import signal
import socket
import sys
import time
from collections import Counter
from typing import Any

NOTABLE = 3
"""A gap of more than this many intervals is written down."""
DRAIN_S = 0.05
"""How long the last answers are waited for."""


class Outages:
    """Sends questions and sees when answers come."""

    def __init__(self, address: str, port: int, interval_s: float) -> None:
        six = ipaddress.ip_address(address).version == 6
        self._socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._target = (address, port)
        self._interval_s = interval_s
        self._last: float | None = None
        self._name = ""
        self._longest_s = 0.0
        self.sent = 0
        self.by: Counter[str] = Counter()

    def ask(self) -> None:
        """Send one question; a neighbor that cannot be resolved is as good as no answer."""
        self.sent += 1
        try:
            self._socket.sendto(str(self.sent).encode(), self._target)
        except OSError:
            return

    def listen(self, until: float) -> None:
        """Take answers until a moment."""
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select((self._socket,), (), (), left)
            if readable:
                self._take()

    def _take(self) -> None:
        try:
            data = self._socket.recv(128)
        except OSError:  # an ICMP error of an earlier question
            return
        self._answered(data.decode("ascii", "replace").partition(" ")[2], time.monotonic())

    def _answered(self, name: str, now: float) -> None:
        self.by[name] += 1
        if self._last is not None:
            gap_s = now - self._last
            self._longest_s = max(self._longest_s, gap_s)
            if gap_s > NOTABLE * self._interval_s or name != self._name:
                tell({"at": now, "gap_s": gap_s, "before": self._name, "after": name})
        else:
            tell({"at": now, "gap_s": 0.0, "before": "", "after": name})
        self._last, self._name = now, name

    def summary(self) -> dict[str, Any]:
        """Return what there is to say at the end; a gap that never ended counts."""
        open_s = 0.0 if self._last is None else time.monotonic() - self._last - DRAIN_S
        return {
            "sent": self.sent,
            "answered": sum(self.by.values()),
            "longest_s": max(self._longest_s, open_s),
            "by": dict(self.by),
        }


def tell(document: dict[str, Any]) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


def main() -> None:
    """Ask until TERM."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    address, port, interval_ms = sys.argv[1:]
    interval_s = float(interval_ms) / 1000
    outages = Outages(address, int(port), interval_s)
    due = time.monotonic()
    while not stopping:
        outages.ask()
        due = max(due + interval_s, time.monotonic())
        outages.listen(due)
    outages.listen(time.monotonic() + DRAIN_S)
    tell(outages.summary())


if __name__ == "__main__":
    main()
