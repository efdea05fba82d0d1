"""Clients of the API server that are quick enough not to be measured: kept connections, and a watch."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import yaml

from orchestrator.lab import kube_objects as objects
from orchestrator.lab.apiserver import ApiServer

MERGE = "merge-patch+json"
LIMIT_S = 900.0


class Door(NamedTuple):
    """Where the server is and how it is entered, as its kubeconfig says."""

    host: str
    port: int
    token: str
    context: ssl.SSLContext

    @classmethod
    def of(cls, server: ApiServer) -> Door:
        """Read it from a server's kubeconfig."""
        known = yaml.safe_load(server.kubeconfig.read_text("utf-8"))
        cluster = known["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        host, _, port = cluster["server"].removeprefix("https://").rpartition(":")
        token = known["users"][0]["user"]["token"]
        return cls(host, int(port), token, ssl.create_default_context(cadata=authority))

    def connect(self) -> http.client.HTTPSConnection:
        """Open a connection."""
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=LIMIT_S, context=self.context
        )

    def headers(self, kind: str = "json") -> dict[str, str]:
        """Return what goes with a request whose body is of a kind."""
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"application/{kind}",
            "Accept": "application/json",
        }


class Requests(threading.local):
    """Requests over one kept connection for each thread."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._connection: http.client.HTTPSConnection | None = None

    def send(self, method: str, path: str, body: Any = None, kind: str = "json") -> Any:
        """Send a request; the answer's body. RuntimeError when it is refused."""
        if self._connection is None:
            self._connection = self._door.connect()
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, self._door.headers(kind))
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:300]!r}")
        return answer

    def make(self, document: objects.Object) -> None:
        """Make an object."""
        place = objects.path(document["kind"], namespace=document["metadata"].get("namespace", ""))
        self.send("POST", place, document)


def at_once(work: Callable[[Any], None], items: Iterable[Any], threads: int = 8) -> None:
    """Do `work` for each item with several threads; raises what one of them raised."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass


class Watched:
    """When each Service was first seen with an address, by a watch of its own (wall clock)."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._closed = False
        self._connection = door.connect()
        self._news = threading.Condition()
        self.addresses: dict[str, str] = {}
        self.at: dict[str, float] = {}

    def start(self) -> None:
        """Begin with the Services that are there."""
        self._connection.request("GET", objects.path("Service"), headers=self._door.headers())
        known = json.loads(self._connection.getresponse().read())
        self._version = known["metadata"]["resourceVersion"]
        for one in known["items"]:
            self._see(one)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closed = True
        if (socket := self._connection.sock) is not None:
            socket.close()

    def _run(self) -> None:
        query = f"watch=1&resourceVersion={self._version}&timeoutSeconds=3600"
        path = f"{objects.path('Service')}?{query}"
        self._connection.request("GET", path, headers=self._door.headers())
        response = self._connection.getresponse()
        while not self._closed:
            line = response.readline()
            if not line:
                return
            event = json.loads(line)
            with self._news:
                self._see(event["object"], gone=event["type"] == "DELETED")
                self._news.notify_all()

    def _see(self, service: objects.Object, *, gone: bool = False) -> None:
        name = service["metadata"]["name"]
        ingress = service["status"]["loadBalancer"].get("ingress")
        if gone or not ingress:
            self.addresses.pop(name, None)
            return
        self.at.setdefault(name, time.time())
        self.addresses[name] = ingress[0]["ip"]

    def wait(self, so: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Wait until what was seen is so."""
        with self._news:
            if not self._news.wait_for(so, limit_s):
                raise TimeoutError(f"not in {limit_s:.0f} s; {len(self.addresses)} have addresses")
