"""The service behind the demo's VIP: an HTTP server that answers every request with its name.

Run as `python -m orchestrator.lab.web NAME ADDRESS PORT`. It may listen before the address is on
this host (IP_FREEBIND), so it and the appliance can start in any order.
"""

from __future__ import annotations

import http.server
import ipaddress
import socket
import socketserver
import sys

from orchestrator.lab.echo import freebind


class NameServer(http.server.ThreadingHTTPServer):
    """An HTTP server that can be bound to an address the host does not have yet."""

    request_queue_size = 512

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name = name
        six = ipaddress.ip_address(address).version == 6
        self.address_family = socket.AF_INET6 if six else socket.AF_INET
        super().__init__((address, port), Answer)

    def server_bind(self) -> None:
        """Bind without looking up a name for the address, and before the address is there."""
        freebind(self.socket)
        socketserver.TCPServer.server_bind(self)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers GET with the name of the server; the client may ask again on the same connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no request that went well: a client asks hundreds of times a second."""

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
