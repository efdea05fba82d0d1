"""Packets of protocol 112 as a stranger on the link would send them, and what nodes count of them."""

from __future__ import annotations

import ipaddress
import struct
import sys
from pathlib import Path

from orchestrator.layer2.frames.checksum import checksum
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.ip import multicast_mac
from tests.lab.layer2_scene import CLIENT, Segment

STRANGER = MAC(b"\x02\0\0\0\0\x66")
SOURCE = "10.0.0.77"
_HEADER = struct.Struct("!BBHHHBBH4s4s")
_IPV4_TYPE = b"\x08\x00"


def frame(
    payload: bytes, target: str, *, ttl: int = 255, source: str = SOURCE, to: MAC | None = None
) -> bytes:
    """Wrap a payload for a group, or for the host whose MAC is `to`."""
    ends = [ipaddress.IPv4Address(end).packed for end in (source, target)]
    length = _HEADER.size + len(payload)
    bare = _HEADER.pack(0x45, 0xC0, length, 0, 0, ttl, 112, 0, *ends)
    header = _HEADER.pack(0x45, 0xC0, length, 0, 0, ttl, 112, checksum(bare), *ends)
    mac = to or multicast_mac(ipaddress.IPv4Address(target))
    return b"".join((mac, STRANGER, _IPV4_TYPE, header, payload))


def send(scene: Segment, *frames: bytes, rate: float = 100, for_s: float = 0) -> None:
    """Send frames from the client's node."""
    argv = [sys.executable, "-m", "tests.lab.frames_from", str(rate), str(for_s)]
    text = "\n".join(one.hex() for one in frames)
    root = str(Path(__file__).parents[2])
    scene.node(CLIENT).run(argv, timeout_s=for_s + 20, stdin=text, cwd=root)


def refused(scene: Segment, name: str) -> dict[str, int]:
    """Frames that a node did not heed on eth1, by cause, from its metrics."""
    found = {}
    for line in scene.metrics(name).splitlines():
        if line.startswith("orchestrator_layer2_refused_total{") and 'interface="eth1"' in line:
            cause = line.split('cause="')[1].split('"')[0]
            found[cause] = int(float(line.rsplit(" ", 1)[1]))
    return found
