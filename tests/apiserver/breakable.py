"""A real API server whose two processes can be killed and paused, and whose store can be put back."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from orchestrator.config.publish.definitions import definitions
from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.conftest import NAMESPACE, install

API, ETCD = "kube-apiserver", "etcd"


class BreakableServer(ApiServer):
    """A server of one's own, which nobody else's tests are on, with our definitions installed."""

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[str, tuple[subprocess.Popen[bytes], dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        body = {"metadata": {"name": NAMESPACE}}
        assert self.request("POST", "/api/v1/namespaces", body).status == 201
        for definition in definitions():
            install(self, definition)
        return self

    def _start(self, name: str, options: dict[str, Any]) -> subprocess.Popen[bytes]:
        process = super()._start(name, options)
        self._processes[name] = process, options
        return process

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Stop a process with SIGSTOP while the block lasts."""
        process, _ = self._processes[name]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    @contextmanager
    def without_etcd(self) -> Iterator[None]:
        """Kill etcd, and start it again on its data after the block."""
        process, options = self._processes[ETCD]
        process.kill()
        process.wait()
        try:
            yield
        finally:
            self._start(ETCD, options)

    def back_up(self) -> None:
        """Copy etcd's data."""
        with self.paused(ETCD):
            shutil.copytree(self._directory / "etcd", self._directory / "backup")

    def put_back(self, after_s: float) -> None:
        """Start both processes on the data as it was at `back_up`, after a while without them."""
        self.kill()
        with self.without_etcd():
            shutil.rmtree(self._directory / "etcd")
            shutil.copytree(self._directory / "backup", self._directory / "etcd")
            time.sleep(after_s)
        self.start()
