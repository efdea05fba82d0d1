"""A model of the relay: what reaches whom when speakers come and go (adapters/relay.py)."""

from __future__ import annotations

from collections import deque


class RelayModel:
    """Carries lines between one client and ExaBGP; the newest client wins."""

    def __init__(self) -> None:
        self.to_exabgp: deque[str] = deque()
        self.to_client = bytearray()
        self.owed = 0
        self._swallow = 0
        self._half = b""
        self._client = False
        self.lose = 0
        """How many update events are to get lost."""

    def accept(self) -> None:
        """A client connects: what is owed to its predecessor is swallowed."""
        self.hang_up()
        self._client = True
        self._swallow = self.owed

    def hang_up(self) -> None:
        """The client is gone, with half a line of it perhaps."""
        self._client = False
        self._half = b""
        self.to_client.clear()

    def from_client(self, data: bytes) -> None:
        """Take bytes; only whole lines go on."""
        *lines, self._half = (self._half + data).split(b"\n")
        self.to_exabgp.extend(line.decode("ascii") for line in lines)
        self.owed += len(lines)

    def from_exabgp(self, data: bytes) -> None:
        """Take whole lines."""
        for line in data.splitlines():
            answer = line in (b"done", b"error")
            if answer:
                self.owed = max(0, self.owed - 1)
            if self._swallow:
                self._swallow -= answer
            elif self.lose and b'"type": "update"' in line:
                self.lose -= 1
            elif self._client:
                self.to_client += line + b"\n"
