"""The relay: joins ExaBGP's only API process (our stdin and stdout) to a Unix socket.

Run by ExaBGP as `python3 -m orchestrator.adapters.relay`; standard library only, so that it starts
fast and stays small. It must outlive every speaker, because ExaBGP ends after six deaths of its
process in 64 s, and it must never stop draining, because a full pipe freezes ExaBGP and drops every
session (DESIGN 5, rules 6 and 11). So it ends only when ExaBGP does.

 - The newest client wins: it is the restarted speaker. A client whose first line is `!exclusive` (the
   exabgp role's last withdraw) cannot be displaced.
 - Only complete lines of printable ASCII reach ExaBGP; the half line of a killed speaker is dropped.
 - Answers owed to a client that is gone are swallowed, so that the next one's answers are its own.
 - What a client does not read is kept up to a limit; then the client is dropped, not ExaBGP.
 - Without any client for the orphan hold time, everything is withdrawn (DESIGN 2).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

READ_SIZE = 1 << 16
UNREAD_LIMIT = 32 << 20
"""Bytes kept for a client that reads slowly."""
UNSENT_LIMIT = 1 << 18
"""Bytes on their way to ExaBGP from which on no more is taken from the client."""
LINE_LIMIT = 1 << 19
"""Longest line of a client; ExaBGP itself replaces its process beyond 1 MiB."""
EXCLUSIVE = b"!exclusive"
WITHDRAW_ALL = b"clear adj-rib out"
ANSWERS = (b"done", b"error")
ORPHAN_HOLD_S = 600.0
SOCKET_NAME = "exabgp.sock"


class Relay:
    """Moves lines between ExaBGP and one client until ExaBGP closes its end."""

    def __init__(
        self, listener: socket.socket, source: int, sink: int, orphan_hold_s: float
    ) -> None:
        self._listener = listener
        self._source = source
        self._sink = sink
        self._orphan_hold_s = orphan_hold_s
        self._client: socket.socket | None = None
        self._exclusive = False
        self._from_client = bytearray()
        self._to_client = bytearray()
        self._from_exabgp = bytearray()
        self._to_exabgp = bytearray()
        self._owed = 0
        self._swallow = 0
        self._orphan_since: float | None = time.monotonic()
        for descriptor in (source, sink):
            os.set_blocking(descriptor, False)

    def run(self) -> None:
        """Relay until ExaBGP is gone."""
        while True:
            ready = self._wait()
            if self._source in ready and not self._read_exabgp():
                return
            self._serve_client(ready)
            if self._listener.fileno() in ready:
                self._accept()
            if self._to_exabgp and not self._write_exabgp():
                return
            self._look_at_orphan()

    def _wait(self) -> dict[int, int]:
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        if self._to_exabgp:
            poll.register(self._sink, select.POLLOUT)
        if self._client is not None:
            takes = select.POLLIN if len(self._to_exabgp) < UNSENT_LIMIT else 0
            poll.register(self._client, takes | (select.POLLOUT if self._to_client else 0))
        return dict(poll.poll(self._patience_ms()))

    def _patience_ms(self) -> int | None:
        if self._orphan_since is None or self._orphan_hold_s <= 0:
            return None
        left = self._orphan_since + self._orphan_hold_s - time.monotonic()
        return max(0, int(left * 1000) + 1)

    # ExaBGP

    def _read_exabgp(self) -> bool:
        """Take what ExaBGP wrote; False when it is gone."""
        try:
            data = os.read(self._source, READ_SIZE)
        except BlockingIOError:
            return True
        if not data:
            return False
        self._from_exabgp += data
        *lines, rest = self._from_exabgp.split(b"\n")
        self._from_exabgp = rest
        for line in lines:
            self._pass_to_client(bytes(line))
        return True

    def _pass_to_client(self, line: bytes) -> None:
        answer = line.strip() in ANSWERS
        if answer:
            self._owed = max(0, self._owed - 1)
        if self._swallow:
            self._swallow -= answer
        elif self._client is not None:
            self._to_client += line + b"\n"
            if len(self._to_client) > UNREAD_LIMIT:
                self._drop_client("it does not read")

    def _write_exabgp(self) -> bool:
        try:
            written = os.write(self._sink, self._to_exabgp)
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        del self._to_exabgp[:written]
        return True

    def _send(self, line: bytes) -> None:
        self._to_exabgp += line + b"\n"
        self._owed += 1

    # The client

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self._exclusive:
            client.close()
            return
        if self._client is not None:
            self._drop_client("a newer one took its place")
        client.setblocking(False)
        self._client = client
        self._orphan_since = None
        self._swallow = self._owed

    def _drop_client(self, reason: str) -> None:
        if self._client is None:
            return
        if reason:
            say(f"speaker dropped: {reason}")
        self._client.close()
        self._client = None
        self._exclusive = False
        self._from_client.clear()
        self._to_client.clear()
        self._orphan_since = time.monotonic()

    def _serve_client(self, ready: dict[int, int]) -> None:
        client = self._client
        events = ready.get(client.fileno(), 0) if client is not None else 0
        if client is None or not events:
            return
        try:
            if events & select.POLLOUT:
                del self._to_client[: client.send(memoryview(self._to_client)[:READ_SIZE])]
            if events & ~select.POLLOUT:
                self._read_client(client)
        except BlockingIOError:
            return
        except OSError:
            self._drop_client("")

    def _read_client(self, client: socket.socket) -> None:
        data = client.recv(READ_SIZE)
        if not data:
            self._drop_client("")
            return
        self._from_client += data
        *lines, rest = self._from_client.split(b"\n")
        self._from_client = rest
        for line in lines:
            if self._client is not None:
                self._pass_to_exabgp(bytes(line).strip())
        if len(self._from_client) > LINE_LIMIT:
            self._drop_client("its line has no end")

    def _pass_to_exabgp(self, line: bytes) -> None:
        if line == EXCLUSIVE:
            self._exclusive = True
        elif line.isascii() and line.decode("ascii").isprintable() and line:
            self._send(line)
        else:
            self._drop_client("it sent a line that is not printable ASCII")

    # Orphaned

    def _look_at_orphan(self) -> None:
        if self._orphan_since is None or self._orphan_hold_s <= 0:
            return
        if time.monotonic() < self._orphan_since + self._orphan_hold_s:
            return
        self._orphan_since = None
        say(f"no speaker for {self._orphan_hold_s:g} s (--orphan-hold): withdrawing every route")
        self._send(WITHDRAW_ALL)


def say(message: str) -> None:
    """Write one line to the log, which is ExaBGP's standard error."""
    sys.stderr.write(f"relay: {message}\n")
    sys.stderr.flush()


def listen(path: Path) -> socket.socket:
    """Listen at `path`, readable by owner and group, in place of what may be there."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        listener.bind(str(fresh))
    finally:
        os.umask(mask)
    listener.listen(8)
    listener.setblocking(False)
    fresh.replace(path)
    return listener


def main() -> int:
    """Serve as ExaBGP's process, with the settings of the environment."""
    directory = Path(os.environ.get("ORCHESTRATOR_RUNTIME_DIR", "/run/orchestrator"))
    hold = float(os.environ.get("ORCHESTRATOR_ORPHAN_HOLD", ORPHAN_HOLD_S))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    try:
        listener = listen(directory / SOCKET_NAME)
    except OSError as error:
        say(f"{directory / SOCKET_NAME}: cannot listen: {error.strerror or error}")
        return 3
    Relay(listener, sys.stdin.fileno(), sys.stdout.fileno(), hold).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
