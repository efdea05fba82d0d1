"""Sockets of this process in the network of a node, and a host that answers there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Iterator
from typing import Self

from orchestrator.adapters.kernel.netlink import Netlink
from orchestrator.adapters.kernel.port_sockets import PortSockets
from orchestrator.lab.node import Node
from orchestrator.layer2.actions import Emit
from orchestrator.layer2.answers.answering import Answering, Heard
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.port import Port
from orchestrator.model.address import IPAddress

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(node: Node) -> Iterator[None]:
    """Have this thread in the network of `node`: what it opens stays there."""
    own = os.open(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    theirs = os.open(f"/proc/{node.pid}/ns/net", os.O_RDONLY)
    try:
        _enter(theirs)
        yield
    finally:
        _enter(own)
        os.close(own)
        os.close(theirs)


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the network of the node")


def port_of(node: Node, name: str = "eth1") -> Port:
    """Read an interface of a node."""
    with inside(node), Netlink() as netlink:
        link = next(link for link in netlink.links() if link.name == name)
        addresses = tuple(
            one.address for one in netlink.addresses() if one.interface == link.interface
        )
    return Port(name, link.interface, MAC(link.mac), link.up, addresses)


class Answerer:
    """Answers on eth1 of a node in a thread, as the layer2 process does, while the block lasts.

    `heard` is what the frames told besides questions.
    """

    def __init__(self, node: Node) -> None:
        self.port = port_of(node)
        with inside(node):
            self.sockets = PortSockets(self.port)
        self.answering = Answering(self.port)
        self.heard: list[Heard] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.sockets.close()

    def take(self, *addresses: IPAddress, mac: MAC | None = None) -> None:
        """Own `addresses` from now on."""
        with self._lock:
            self._send(self.answering.take([(one, mac) for one in addresses], time.monotonic()))
            self.sockets.about(self.answering.owned)

    def probe(self, address: IPAddress) -> None:
        """Ask who has `address`."""
        with self._lock:
            self.sockets.about(self.answering.owned | {address})
            self._send(self.answering.probe(address, time.monotonic()))

    def _serve(self) -> None:
        while not self._stop.wait(0.002):
            with self._lock:
                self._turn(time.monotonic())

    def _turn(self, now: float) -> None:
        found: list[Heard] = []
        for frame, _ in self.sockets.arp.read(64):
            found += self.answering.receive_arp(frame, now)
        for frame, _ in self.sockets.ndp.read(64):
            found += self.answering.receive_ndp(frame, now)
        found += self.answering.handle_timer(now)
        self._send([one for one in found if isinstance(one, Emit)])
        self.heard += [one for one in found if not isinstance(one, Emit)]

    def _send(self, frames: list[Emit]) -> None:
        for emit in frames:
            self.sockets.send(emit.frame)
