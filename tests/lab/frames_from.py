"""Sends frames on eth1 of the node it runs in: `python -m tests.lab.frames_from RATE SECONDS < FRAMES`.

Standard input has a frame a line, in hex. They are sent in turn, RATE a second, for SECONDS (0: each once).
"""

from __future__ import annotations

import itertools
import socket
import sys
import time


def main() -> None:
    """Send until the time is over."""
    rate, for_s = float(sys.argv[1]), float(sys.argv[2])
    frames = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.bind(("eth1", 0))
        endless = itertools.cycle(frames) if for_s else iter(frames)
        began = time.monotonic()
        for number, frame in enumerate(endless):
            now = time.monotonic() - began
            if for_s and now > for_s:
                return
            if number / rate > now:
                time.sleep(number / rate - now)
            sender.send(frame)


if __name__ == "__main__":
    main()
