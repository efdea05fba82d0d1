"""Answers each UDP datagram to an address with the name of the node, for `orchestrator.lab.outage`.

`python -m orchestrator.lab.echo NAME PORT ADDRESS...`; the addresses need not be there yet.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import sys

IP_FREEBIND = 15
IPV6_FREEBIND = 78


def listen(address: str, port: int) -> socket.socket:
    """Open a socket that answers from `address`, whether or not the host has it yet."""
    six = ipaddress.ip_address(address).version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    freebind(sock)
    sock.bind((address, port))
    return sock


def freebind(sock: socket.socket) -> None:
    """Let a socket be bound to an address that the host does not have yet."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)


def main() -> None:
    """Answer until killed."""
    name, port, *addresses = sys.argv[1:]
    sockets = [listen(address, int(port)) for address in addresses]
    while True:
        for sock in select.select(sockets, (), ())[0]:
            data, client = sock.recvfrom(64)
            with contextlib.suppress(OSError):  # no way back: a cable is out
                sock.sendto(data + b" " + name.encode(), client)


if __name__ == "__main__":
    main()
