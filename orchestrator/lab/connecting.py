"""A client that opens connections all the time, in a node of a lab, and what it saw (`lab.connections`)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.node import Node
from orchestrator.lab.runner import LabError

READY_LIMIT_S = 30.0
END_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw.

    Of new connections: how many there were (`sent`), how many each server answered (`by`), when
    those were begun that their first packet did not open (`again`), which `failed` (each with the moment it was
    begun, `at`, and `error`): they could not be opened, or had no answer in time; and which were opened, but `cut` before the
    answer. Of connections that were kept: how many each server had (`held`), and which broke (`at`, `name`).
    """

    sent: int
    by: Mapping[str, int]
    again: Sequence[float]
    failed: Sequence[Mapping[str, str | float]]
    cut: Sequence[Mapping[str, str | float]]
    held: Mapping[str, int]
    broken: Sequence[Mapping[str, str | float]]

    def failing_s(self, since: float) -> float:
        """How long after `since` a connection was begun that failed or was cut; 0 when none was."""
        begun = (float(one["at"]) for one in (*self.failed, *self.cut))
        later = [at - since for at in begun if at >= since]
        return max(later, default=0.0)

    def broken_of(self, name: str) -> int:
        """How many kept connections of a server broke."""
        return sum(one["name"] == name for one in self.broken)


class Connecting:
    """The client's program, running; `held` connections are up when this returns."""

    def __init__(
        self,
        node: Node,
        address: str,
        log: Path,
        *,
        port: int = 80,
        interval_ms: float = 5.0,
        held: int = 0,
        timeout_ms: float = 5000.0,
    ) -> None:
        self._log = log
        log.unlink(missing_ok=True)
        numbers = [str(number) for number in (port, interval_ms, held, timeout_ms)]
        argv = [sys.executable, "-m", "orchestrator.lab.connections", address, *numbers]
        self._process = node.spawn(argv, log=log)
        try:
            self._await_ready()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT_S
        while '{"ready": true}' not in self._log.read_text("utf-8"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the client is not ready; its log is {self._log}")
            time.sleep(0.02)

    def stop(self) -> Seen:
        """End it; LabError when it did not end as it should."""
        self._process.terminate()
        try:
            status = self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status:
            raise LabError(f"the client ended with status {status}; its log is {self._log}")
        return Seen(**json.loads(self._log.read_text("utf-8").splitlines()[-1]))
