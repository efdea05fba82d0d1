"""The service behind the demo's VIP: an HTTP server that answers every request with its name.

Run as `python -m orchestrator.lab.web NAME ADDRESS PORT`. It may listen before the address is on
this host (IP_FREEBIND), so it and the appliance can start in any order.
"""

from __future__ import annotations

import http.server
import socket
import socketserver
import sys

IP_FREEBIND = 15


class NameServer(http.server.ThreadingHTTPServer):
    """An HTTP server that can be bound to an address the host does not have yet."""

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name = name
        super().__init__((address, port), Answer)

    def server_bind(self) -> None:
        """Bind without looking up a name for the address, and before the address is there."""
        self.socket.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        socketserver.TCPServer.server_bind(self)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers GET with the name of the server."""

    def do_GET(self) -> None:
        """Send the name as plain text."""
        assert isinstance(self.server, NameServer)
        body = f"{self.server.name}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    name, address, port = sys.argv[1:]
    NameServer(name, address, int(port)).serve_forever()


if __name__ == "__main__":
    main()
