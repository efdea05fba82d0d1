"""A client that asks an address all the time, in a node of a lab, and what it saw (`lab.outage`)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.lab.node import Node

PORT = 7007
END_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without answers that ended at `at` (monotonic clock), and who answered around it."""

    at: float
    gap_s: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it: questions, answers, the longest time without one, and answers by node."""

    sent: int
    answered: int
    longest_s: float
    by: dict[str, int]


class Asking:
    """The client's program, running."""

    def __init__(self, node: Node, address: str, interval_ms: float, log: Path) -> None:
        self._log = log
        argv = [sys.executable, "-m", "orchestrator.lab.outage", address, str(PORT)]
        self._process = node.spawn([*argv, str(interval_ms)], log=log)

    def _lines(self) -> list[dict[str, Any]]:
        text = self._log.read_text("utf-8")
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def gaps(self, since: float = 0.0) -> list[Gap]:
        """Gaps and changes of who answers that ended after `since`."""
        found = (Gap(**line) for line in self._lines() if "at" in line)
        return [gap for gap in found if gap.at > since]

    def owner(self) -> str:
        """Name of who answered last; empty before the first answer."""
        gaps = self.gaps()
        return gaps[-1].after if gaps else ""

    def stop(self) -> Summary:
        """End it; RuntimeError when it did not end as it should."""
        self._process.terminate()
        if status := self._process.wait(END_LIMIT_S):
            raise RuntimeError(f"the client ended with status {status}; its log is {self._log}")
        return Summary(**self._lines()[-1])


def serve(node: Node, name: str, *addresses: str, log: Path) -> subprocess.Popen[str]:
    """Start a server that answers from `addresses` with `name`, whether or not they are there."""
    argv = [sys.executable, "-m", "orchestrator.lab.echo", name, str(PORT), *addresses]
    return node.spawn(argv, log=log)
