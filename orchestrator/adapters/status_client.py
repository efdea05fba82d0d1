"""Asks a running role over its Unix socket: plain HTTP/1.1 with the standard library."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.adapters.errors import AdapterError

TIMEOUT_S = 10.0


class NotFoundError(AdapterError):
    """The role answers, and the answer is that there is no such thing."""


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def get(path: Path, target: str) -> Any:
    """Return the JSON document at `target`; raise `AdapterError` when nobody answers."""
    return _request(path, "GET", target)


def post(path: Path, target: str) -> Any:
    """Make the control request `target` and return its answer."""
    return _request(path, "POST", target)


def _request(path: Path, method: str, target: str) -> Any:
    connection = UnixConnection(path, TIMEOUT_S)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        document = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AdapterError(str(path), _unreachable(error)) from error
    finally:
        connection.close()
    if response.status == http.client.NOT_FOUND:
        raise NotFoundError(str(path), str(document["error"]))
    if response.status != http.client.OK:
        raise AdapterError(str(path), str(document.get("error", response.reason)))
    return document


def _unreachable(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"no running speaker answers here: {reason}; is --runtime-dir the one it was given?"


def follow_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield events as they happen until the role goes away; `line` is the event's own JSON."""
    connection = UnixConnection(path, None)
    try:
        connection.request("GET", "/api/v1/events?follow=1")
        for raw in connection.getresponse():
            line = raw.decode().removeprefix("data: ").strip()
            if line:
                yield {**json.loads(line), "line": line}
    except (OSError, http.client.HTTPException) as error:
        raise AdapterError(str(path), _unreachable(error)) from error
    finally:
        connection.close()
