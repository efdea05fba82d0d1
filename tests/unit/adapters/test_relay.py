"""The relay between ExaBGP's pipes and speakers: run as a process, with this test as ExaBGP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LIMIT_S = 20.0


def until(predicate: Callable[[], object], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + LIMIT_S
    while not predicate():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


class ExaBGPEnd:
    """A relay process; `hear` and `tell` are ExaBGP's ends of its pipes."""

    def __init__(self, directory: Path, hold: str) -> None:
        self.path = directory / "exabgp.sock"
        self.log = (directory / "log").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.adapters.relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={
                **os.environ,
                "ORCHESTRATOR_RUNTIME_DIR": str(directory),
                "ORCHESTRATOR_ORPHAN_HOLD": hold,
            },
        )
        until(self.path.exists, "the socket to be there")

    def tell(self, *lines: str) -> None:
        """Write as ExaBGP does: this blocks when nobody reads."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode("ascii"))
        self.process.stdin.flush()

    def hear(self) -> str:
        """Read one command."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode("ascii").rstrip("\n")

    def connect(self) -> socket.socket:
        """Connect as a speaker."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(LIMIT_S)
        client.connect(str(self.path))
        return client

    def logged(self) -> str:
        """What the relay wrote to its standard error."""
        self.log.flush()
        return Path(self.log.name).read_text("ascii")

    def close(self) -> int:
        """End as ExaBGP would: close both pipes; the relay's exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        status = self.process.wait(LIMIT_S)
        self.process.stdout.close()
        self.log.close()
        return status


@pytest.fixture
def end(tmp_path: Path) -> Iterator[ExaBGPEnd]:
    """A relay without orphan hold."""
    relay = ExaBGPEnd(tmp_path, "0")
    yield relay
    assert relay.close() == 0


def receive(client: socket.socket, ending: bytes) -> bytes:
    """Read until what came ends with `ending`."""
    data = b""
    while not data.endswith(ending):
        more = client.recv(1 << 16)
        assert more, f"closed after {data!r}"
        data += more
    return data


def test_lines_go_both_ways(end: ExaBGPEnd) -> None:
    """Commands reach ExaBGP and its lines reach the speaker."""
    with end.connect() as client:
        client.sendall(b"show neighbor json\n")
        assert end.hear() == "show neighbor json"
        end.tell("[]", "done")
        assert receive(client, b"done\n") == b"[]\ndone\n"


def test_socket_is_for_owner_and_group(end: ExaBGPEnd) -> None:
    """The socket has mode 0660 (DESIGN 13)."""
    assert end.path.stat().st_mode & 0o777 == 0o660


def test_nobody_reading_never_blocks_exabgp(end: ExaBGPEnd) -> None:
    """20 MB written while no speaker is there are taken, and not kept."""
    for _ in range(200):
        end.tell(*["x" * 999] * 100)
    with end.connect() as client:
        client.sendall(b"version\n")
        assert end.hear() == "version"
        end.tell("fresh", "done")
        assert receive(client, b"done\n") == b"fresh\ndone\n"


def test_a_client_that_does_not_read_is_dropped_and_memory_bounded(end: ExaBGPEnd) -> None:
    """A speaker that takes nothing loses its connection; the relay stays below 120 MB meanwhile."""
    with end.connect() as client:
        client.sendall(b"version\n")
        assert end.hear() == "version"
        for _ in range(600):
            end.tell(*["x" * 999] * 100)
        status = Path(f"/proc/{end.process.pid}/status").read_text("ascii")
    peak = int(status.split("VmHWM:")[1].split()[0])
    assert peak < 120_000
    assert "speaker dropped: it does not read" in end.logged()


def test_newest_client_wins(end: ExaBGPEnd) -> None:
    """A second speaker displaces the first."""
    with end.connect() as old, end.connect() as new:
        new.sendall(b"version\n")
        assert end.hear() == "version"
        assert old.recv(1) == b""


def test_exclusive_client_cannot_be_displaced(end: ExaBGPEnd) -> None:
    """After `!exclusive` another client is turned away, until the exclusive one has gone."""
    with end.connect() as last:
        last.sendall(b"!exclusive\nversion\n")
        assert end.hear() == "version"
        with end.connect() as speaker:
            assert speaker.recv(1) == b""
        last.sendall(b"help\n")
        assert end.hear() == "help"
    with end.connect() as speaker:
        speaker.sendall(b"version\n")
        assert end.hear() == "version"


def test_half_a_line_of_a_killed_speaker_is_dropped(end: ExaBGPEnd) -> None:
    """What a speaker did not finish never reaches ExaBGP."""
    with end.connect() as killed:
        killed.sendall(b"version\nannounce route 192.0.2.1/32 next-")
        assert end.hear() == "version"
    with end.connect() as client:
        client.sendall(b"help\n")
        assert end.hear() == "help"


@pytest.mark.parametrize("line", [b"caf\xc3\xa9", b"a\x00b", b"\x1b[0m", b"x" * (1 << 20)])
def test_lines_that_would_harm_exabgp_do_not_reach_it(end: ExaBGPEnd, line: bytes) -> None:
    """Bytes that are not printable ASCII, and lines without end, cost the client its connection."""
    with end.connect() as bad, end.connect() as client:
        del bad
        try:
            client.sendall(line + (b"\n" if len(line) < 100 else b""))
            assert client.recv(1) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass
    with end.connect() as client:
        client.sendall(b"help\n")
        assert end.hear() == "help"


def test_answers_to_a_dead_speaker_are_swallowed(end: ExaBGPEnd) -> None:
    """A new speaker sees no answer that was owed to the one before it."""
    with end.connect() as old:
        old.sendall(b"one\ntwo\n")
        assert (end.hear(), end.hear()) == ("one", "two")
    with end.connect() as new:
        new.sendall(b"three\n")
        assert end.hear() == "three"
        end.tell("text of one", "done", "error", "text of three", "done")
        assert receive(new, b"done\n") == b"text of three\ndone\n"


def test_orphan_hold_withdraws_all_and_says_so(tmp_path: Path) -> None:
    """Without a speaker for the hold time everything is withdrawn, once, and the log says it."""
    relay = ExaBGPEnd(tmp_path, "0.2")
    assert relay.hear() == "clear adj-rib out"
    relay.tell("done")
    assert "no speaker for 0.2 s (--orphan-hold): withdrawing every route" in relay.logged()
    with relay.connect() as client:
        client.sendall(b"version\n")
        assert relay.hear() == "version"
    assert relay.hear() == "clear adj-rib out"
    assert relay.close() == 0


def test_a_place_where_it_cannot_listen_is_named(tmp_path: Path) -> None:
    """Where the runtime directory is missing, the relay says so and ends with status 3."""
    missing = tmp_path / "missing"
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator.adapters.relay"],
        env={**os.environ, "ORCHESTRATOR_RUNTIME_DIR": str(missing)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 3
    assert f"relay: {missing}/exabgp.sock: cannot listen: No such file" in done.stderr.decode()


def test_the_relay_loads_the_standard_library_only() -> None:
    """Its process imports nothing outside the standard library, so it starts fast and stays small."""
    code = "import sys, orchestrator.adapters.relay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    roots = {name.split(".")[0] for name in done.stdout.split()}
    assert not roots & {"click", "rich", "asyncio", "msgspec", "pyroute2", "tenacity", "exabgp"}
