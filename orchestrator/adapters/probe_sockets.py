"""HTTP and TCP probes: one connection each, with a bounded answer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl

from orchestrator.model.virtual_ip import HttpProbe, TcpProbe

_MAX_LINE = 8192
_MOST_HEADERS = 200
_MOST_INTERIM = 5

Outcome = tuple[bool, str]
"""Whether a probe was good, and what was seen."""


async def probe_tcp(probe: TcpProbe) -> Outcome:
    """Connect and close. Raises OSError."""
    _, writer = await asyncio.open_connection(probe.host, probe.port)
    await _close(writer)
    return True, "connected"


async def probe_http(probe: HttpProbe) -> Outcome:
    """GET and look at the status. Raises OSError, and ValueError when the answer is not HTTP."""
    context = _context() if probe.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        probe.host, probe.port, ssl=context, limit=_MAX_LINE
    )
    try:
        writer.write(_request(probe))
        status = await _status(reader)
    finally:
        await _close(writer)
    good = status in probe.statuses if probe.statuses else 200 <= status <= 399
    return good, f"HTTP {status}"


def _request(probe: HttpProbe) -> bytes:
    host = f"[{probe.host}]" if ":" in probe.host else probe.host
    usual = 443 if probe.scheme == "https" else 80
    port = "" if probe.port == usual else f":{probe.port}"
    lines = (
        f"GET {probe.path} HTTP/1.1",
        f"Host: {host}{port}",
        "User-Agent: orchestrator",
        "Accept: */*",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii")


async def _status(reader: asyncio.StreamReader) -> int:
    """Read the status of the final answer; interim ones (1xx) come before it (RFC 9110 15.2)."""
    for _ in range(_MOST_INTERIM):
        status = _parsed(await reader.readline())
        if status >= 200:
            return status
        await _skip_headers(reader)
    raise ValueError("no final answer")


def _parsed(line: bytes) -> int:
    parts = line.split()
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise ValueError("the answer is not HTTP/1" if line else "closed without an answer")
    return int(parts[1])


async def _skip_headers(reader: asyncio.StreamReader) -> None:
    for _ in range(_MOST_HEADERS):
        if (await reader.readline()).strip() == b"":
            return
    raise ValueError("too many headers")


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close; of TLS without the farewell, for which a peer could make us wait."""
    if writer.get_extra_info("ssl_object") is None:
        writer.close()
    else:
        writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@functools.cache
def _context() -> ssl.SSLContext:
    """Trust any certificate: the address asked is this host's or one the operator wrote down."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
