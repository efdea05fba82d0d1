"""Sockets for whole Ethernet frames (packet(7)): a host's firewall and rp_filter do not see them."""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Final

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.kernel import packet_filter
from orchestrator.adapters.kernel.packet_filter import Program

_PACKET: Final = 263
_ADD_MEMBERSHIP, _IGNORE_OUTGOING = 1, 23
_ALL_OF_GROUP = 0
_TIMESTAMP_NS, _RECEIVE_BUFFER_FORCE = 35, 33
_STAMP = struct.Struct("@qq")
_BUFFER_BYTES = 4 * 1024 * 1024
_LONGEST_FRAME = 2048
"""All that is heard here is far shorter; of a longer frame the rest is cut."""
_STAMP_SPACE = socket.CMSG_SPACE(_STAMP.size)

Frame = tuple[bytes, float]
"""A frame, and the seconds since the kernel got it."""


class PacketSocket:
    """Receives the frames of Ethernet type `kind` that pass `program`, from interface `index`.

    Stays usable while the interface is down; when it is gone nothing comes any longer. Raises
    `AdapterError` when it cannot be opened.
    """

    def __init__(self, index: int, kind: int, program: Program) -> None:
        name = _name(index)
        self._index = index
        self._socket = _open(name)
        try:
            _prepare(self._socket)
            # The filter goes on before the socket is bound, so nothing else ever gets in.
            packet_filter.attach(self._socket, program)
            self._socket.bind((name, kind))
        except OSError as error:
            self._socket.close()
            raise AdapterError(name, f"cannot receive frames: {error.strerror}") from error
        self._empty_at = time.monotonic()

    def fileno(self) -> int:
        """Return the descriptor, readable when there are frames."""
        return self._socket.fileno()

    def filter(self, program: Program) -> None:
        """Let other frames through from now on."""
        packet_filter.attach(self._socket, program)

    def join(self, mac: bytes) -> None:
        """Have the interface receive frames to the group address `mac`, while the socket is open."""
        request = struct.pack("@iHH8s", self._index, _ALL_OF_GROUP, len(mac), mac)
        self._socket.setsockopt(_PACKET, _ADD_MEMBERSHIP, request)

    def read(self, limit: int) -> list[Frame]:
        """Take at most `limit` frames, the oldest first."""
        found: list[Frame] = []
        try:
            while len(found) < limit:
                data, extra, _, _ = self._socket.recvmsg(_LONGEST_FRAME, _STAMP_SPACE)
                found.append((data, self._age_s(extra)))
        except OSError as error:
            _tolerate(error)
            self._empty_at = time.monotonic()
        return found

    def _age_s(self, extra: list[tuple[int, int, bytes]]) -> float:
        """Return how long a frame has waited, by the kernel's stamp of the time of day.

        The clock may have been set since; no frame is older than the last look that found none.
        """
        seconds, nanoseconds = _STAMP.unpack(extra[0][2])
        age_s: float = time.time() - (seconds + nanoseconds / 1e9)
        return min(max(age_s, 0.0), time.monotonic() - self._empty_at)

    def close(self) -> None:
        """Receive nothing any longer."""
        self._socket.close()


class PacketSender:
    """Sends whole frames out of interface `index`; raises `AdapterError` when it cannot be opened."""

    def __init__(self, index: int) -> None:
        name = _name(index)
        self._socket = _open(name)
        try:
            self._socket.setblocking(False)
            self._socket.bind((name, 0))
        except OSError as error:
            self._socket.close()
            raise AdapterError(name, f"cannot send frames: {error.strerror}") from error
        self.lost = 0

    def send(self, frame: bytes) -> bool:
        """Send a frame; False, and counted in `lost`, when the interface takes none now."""
        try:
            self._socket.send(frame)
        except OSError as error:
            _tolerate(error)
            self.lost += 1
            return False
        return True

    def close(self) -> None:
        """Send nothing any longer."""
        self._socket.close()


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError as error:
        raise AdapterError(f"interface {index}", "is gone") from error


def _open(name: str) -> socket.socket:
    try:
        # Protocol 0: not before it is bound does it receive anything.
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    except PermissionError as error:
        raise AdapterError(name, "no permission for frames: layer2 needs CAP_NET_RAW") from error


def _prepare(target: socket.socket) -> None:
    target.setblocking(False)
    target.setsockopt(_PACKET, _IGNORE_OUTGOING, 1)
    target.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
    try:
        target.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, _BUFFER_BYTES)
    except PermissionError:
        # Beyond net.core.rmem_max needs CAP_NET_ADMIN; up to there everyone may go.
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)


_PASSING = {
    errno.EAGAIN,
    errno.EINTR,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOBUFS,
    errno.EMSGSIZE,
}
"""No frame now, interface down or gone, queue full, frame too long for the interface's MTU."""


def _tolerate(error: OSError) -> None:
    if error.errno not in _PASSING:
        raise error
