"""The client of drains and deaths tells what it sees as it is: answered, cut, failed, broken."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from orchestrator.lab.connecting import Connecting, Seen
from orchestrator.lab.node import Node
from orchestrator.lab.runner import LabError
from orchestrator.lab.web import NameServer

HOST = "127.0.0.1"
LIMIT_S = 20.0


class Here:
    """Stands for a node: programs run on this host."""

    def spawn(self, argv: list[str], *, log: Path) -> subprocess.Popen[bytes]:
        """Start a program whose output goes to `log`."""
        with log.open("ab") as output:
            return subprocess.Popen(argv, stdout=output, stderr=output)


def connecting(tmp_path: Path, port: int, **options: float) -> Connecting:
    """Start the client on this host."""
    held = int(options.pop("held", 0))
    log = tmp_path / "client.log"
    node = cast("Node", Here())
    return Connecting(node, HOST, log, port=port, held=held, **options)


@contextmanager
def serving() -> Iterator[NameServer]:
    """Run the pods' server, named `pod`."""
    with NameServer("pod", HOST, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def treating(treat: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections and do something to each; the port."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0.05)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    treat(listener.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def after_some(client: Connecting, passed: Callable[[], bool]) -> Seen:
    """Wait for something to have happened, and end the client."""
    deadline = time.monotonic() + LIMIT_S
    while not passed():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return client.stop()


def test_answered(tmp_path: Path) -> None:
    """New connections and kept ones are counted by the name of who answers."""
    with serving() as server:
        client = connecting(tmp_path, server.server_address[1], held=3)
        began = time.monotonic()
        seen = after_some(client, lambda: time.monotonic() > began + 0.3)
    assert seen.held == {"pod": 3}
    assert seen.by == {"pod": seen.sent}
    assert seen.sent > 1
    assert not (*seen.failed, *seen.cut, *seen.broken)
    assert seen.again == []


def test_cut(tmp_path: Path) -> None:
    """A connection that is opened and closed without an answer is cut, not failed."""
    treated: list[int] = []

    def close(sock: socket.socket) -> None:
        treated.append(1)
        sock.close()

    with treating(close) as port:
        seen = after_some(connecting(tmp_path, port), lambda: len(treated) > 3)
    assert len(seen.cut) > 3
    assert not (*seen.failed, *seen.by)


def test_no_answer_in_time(tmp_path: Path) -> None:
    """A connection that is opened and never answered has failed."""
    kept: list[socket.socket] = []
    with treating(kept.append) as port:
        client = connecting(tmp_path, port, timeout_ms=50.0)
        seen = after_some(client, lambda: len(kept) > 3)
    for sock in kept:
        sock.close()
    assert {one["error"] for one in seen.failed} == {"no answer in time"}
    assert not (*seen.cut, *seen.by)
    since = float(seen.failed[0]["at"])
    assert 0 < seen.failing_s(since) < LIMIT_S


def test_refused(tmp_path: Path) -> None:
    """A connection that cannot be opened has failed."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    client = connecting(tmp_path, port)
    began = time.monotonic()
    seen = after_some(client, lambda: time.monotonic() > began + 0.1)
    assert len(seen.failed) == seen.sent > 0
    assert seen.failing_s(time.monotonic()) == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_kept_ones_break(tmp_path: Path) -> None:
    """Kept connections whose server ends are broken, under the name of the server."""
    argv = [sys.executable, "-m", "orchestrator.lab.web", "pod", HOST]
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen([*argv, str(port)], stderr=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + LIMIT_S
        while not _listens(port):
            assert time.monotonic() < deadline
        client = connecting(tmp_path, port, held=4)
        server.kill()
    began = time.monotonic()
    seen = after_some(client, lambda: time.monotonic() > began + 0.5)
    assert seen.held == {"pod": 4}
    assert seen.broken_of("pod") == 4
    assert seen.broken_of("other") == 0


def test_never_ready(tmp_path: Path) -> None:
    """Without the kept connections there is no client: LabError with its log."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LabError, match=r"not ready.*client\.log"):
        connecting(tmp_path, port, held=1)
