"""How many ARP requests a second are answered."""

from __future__ import annotations

import ipaddress
import itertools
import socket
import time
from pathlib import Path

from orchestrator.layer2.frames.arp import ask
from orchestrator.layer2.frames.ethernet import ARP_TYPE
from tests.bench.layer2_contenders import Contender, Keepaliveds, Routers, Shared
from tests.bench.layer2_takeover import ADDRESSES, MANY
from tests.bench.table import Table, quantile
from tests.lab.inside import inside, port_of
from tests.lab.layer2_scene import CLIENT

PERIOD_S = 5.0
ANSWER_LIMIT_S = 0.2
"""An answer that takes longer is lost."""
WINDOWS = (1, 64)
KINDS: tuple[type[Contender], ...] = (Shared, Routers, Keepaliveds)
_SENDER = slice(28, 32)
_OPERATION = slice(20, 22)
_REPLY = b"\0\2"


def arp(workdir: Path) -> Table:
    """Ask for one address after the other, with so many questions unanswered at a time."""
    table = Table(
        f"ARP requests answered a second, {MANY} addresses, over {PERIOD_S:.0f} s each",
        ("contender", "open questions", "answers a second", "us a question (median)", "lost"),
    )
    for kind in KINDS:
        path = workdir / kind.__name__
        with kind(path, names=("n1", "n2"), addresses=ADDRESSES) as scene:
            scene.begin()
            time.sleep(3)
            for window in WINDOWS:
                table.add(kind.label, window, *_measured(scene, window))
    return table


def _measured(scene: Contender, window: int) -> tuple[float, float, int]:
    node = scene.node(CLIENT)
    port = port_of(node)
    frames = [ask(ipaddress.IPv4Address(one), port.mac, port.ipv4) for one in ADDRESSES]
    with inside(node):
        asking = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP_TYPE))
        asking.bind(("eth1", ARP_TYPE))
        asking.settimeout(ANSWER_LIMIT_S)
    with asking:
        return _closed_loop(asking, frames, window)


def _closed_loop(
    asking: socket.socket, frames: list[bytes], window: int
) -> tuple[float, float, int]:
    """Send as many as may be open, wait for all their answers, and again."""
    times, answered, lost = [], 0, 0
    begun = time.perf_counter()
    for first in itertools.cycle(range(0, len(frames) - window + 1, window)):
        sent = time.perf_counter()
        if sent > begun + PERIOD_S:
            break
        for frame in frames[first : first + window]:
            asking.send(frame)
        found = _answers(asking, window)
        times.append((time.perf_counter() - sent) / window)
        answered, lost = answered + found, lost + window - found
    return answered / (time.perf_counter() - begun), 1e6 * quantile(times, 0.5), lost


def _answers(asking: socket.socket, count: int) -> int:
    """Take this many answers, or those that come in time."""
    found = 0
    while found < count:
        try:
            frame = asking.recv(128)
        except TimeoutError:
            break
        found += frame[_OPERATION] == _REPLY and frame[_SENDER] != frame[38:42]
    return found
