"""Lines out of the pieces of a stream, none longer than there is memory for."""

from __future__ import annotations

LONGEST = 16 * 1024 * 1024
"""Bytes of a line: ten times what an API server lets an object have."""


class TooLongError(ValueError):
    """A line is longer than any object can be."""


class Lines:
    """Puts a stream's pieces together to lines."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take a piece; return the lines that it completes, without their ends, none empty.

        Raises TooLongError; the stream is of no use then.
        """
        *complete, rest = data.split(b"\n")
        found = []
        for end in complete:
            line = self._joined(end)
            if line.strip():
                found.append(line)
        self._pieces.append(rest)
        self._held += len(rest)
        self._limit()
        return found

    def _joined(self, end: bytes) -> bytes:
        self._held += len(end)
        self._limit()
        line = b"".join((*self._pieces, end))
        self._pieces, self._held = [], 0
        return line

    def _limit(self) -> None:
        if self._held > self._longest:
            raise TooLongError(f"a line of the watch is longer than {self._longest} bytes")
