"""A real kube-apiserver with etcd on addresses of this host: no kubelet, no controllers."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

from orchestrator.lab.interrupts import undisturbed
from orchestrator.lab.kube_build import PROGRAMS, build, silent

HOST = "127.0.0.1"
_START_S = 90.0
_STOP_S = 20.0
_MEMORY = Path("/dev", "shm")
_ASSETS = "KUBEBUILDER_ASSETS"
_ADMINISTRATOR = "admin"
_AUDITED = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}
"""Of requests of service accounts: who asked for what, and the answer's status."""


class ApiServerError(Exception):
    """It cannot be started; the message says what is missing, or its last words."""


class Answer(NamedTuple):
    """Status and body of an answer."""

    status: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        """Return what the server says about it."""
        return str(self.body.get("message", ""))


def program(name: str, say: Callable[[str], None] = silent) -> Path:
    """Find kube-apiserver, kube-proxy or etcd.

    Looked for in TEST_ASSET_KUBE_APISERVER, TEST_ASSET_ETCD and the like, in KUBEBUILDER_ASSETS
    (both as the Kubernetes tools have them), then in PATH; what is Kubernetes' own is built when it
    is nowhere, and `say` is told how that goes.
    """
    own = os.environ.get("TEST_ASSET_" + name.upper().replace("-", "_"))
    assets = os.environ.get(_ASSETS)
    for path in filter(None, (own, assets and f"{assets}/{name}", shutil.which(name))):
        if Path(path).exists():
            return Path(path)
    if name in PROGRAMS:
        return build(name, say)
    raise ApiServerError(f"{name} is missing: apt-get install {name}-server, or set {_ASSETS}")


class ApiServer:
    """The two processes, up while the `with` block lasts.

    `kubeconfig` is that of an administrator; other users are contexts of it. kube-apiserver listens
    on `host`, an address of this host; etcd on the loopback address.
    """

    def __init__(self, host: str = HOST) -> None:
        self._host = host
        self._stack = ExitStack()
        self._tokens = {_ADMINISTRATOR: secrets.token_hex(16)}
        base = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        made = tempfile.TemporaryDirectory(
            prefix="apiserver-", dir=base, ignore_cleanup_errors=True
        )
        self._directory = Path(self._stack.enter_context(made))
        self._certificate = self._directory / "server.crt"
        self.port = 0
        self._etcd = ""
        self._server: subprocess.Popen[bytes] | None = None
        self.kubeconfig = self._directory / "kubeconfig"
        self._audit = self._directory / "audit.log"

    def __enter__(self) -> Self:
        try:
            self._write_keys()
            self._etcd = self._start_etcd()
            self.port = free_port(self._host)
            self.start()
            self._write_kubeconfig()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Start kube-apiserver, after `kill` where it was, on what etcd has; return when it is ready."""
        key = self._directory / "server.key"
        options = {
            "etcd-servers": self._etcd,
            "bind-address": self._host,
            "advertise-address": self._host,
            "secure-port": self.port,
            "tls-cert-file": self._certificate,
            "tls-private-key-file": key,
            "token-auth-file": self._directory / "tokens",
            "authorization-mode": "RBAC",
            "audit-policy-file": self._directory / "audited",
            "audit-log-path": self._audit,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": "10.96.0.0/12,fd00:10:96::/112",
            "disable-admission-plugins": "ServiceAccount",
            "endpoint-reconciler-type": "none",
        }
        self._server = self._start("kube-apiserver", options)
        self._wait(self._server, "kube-apiserver", self._ready)

    def kill(self) -> None:
        """Kill kube-apiserver at once; etcd goes on."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()

    def compact(self) -> None:
        """Let etcd forget what was before; a running kube-apiserver still answers from its memory."""
        version = self.request("GET", "/api/v1/namespaces?limit=1").body["metadata"]
        body = json.dumps({"revision": version["resourceVersion"], "physical": True})
        connection = http.client.HTTPConnection(self._etcd.removeprefix("http://"), timeout=30)
        try:
            connection.request("POST", "/v3/kv/compaction", body)
            answer = connection.getresponse()
            if answer.status != 200:
                raise ApiServerError(f"etcd does not compact: {answer.read().decode()}")
        finally:
            connection.close()

    def add_user(self, name: str, token: str) -> None:
        """Let a token be used, as the context `name` of the kubeconfig and in requests."""
        self._tokens[name] = token
        self._write_kubeconfig()

    def audited(self) -> list[dict[str, Any]]:
        """Return the audit events of service accounts so far, the oldest first."""
        lines = self._audit.read_text("utf-8").splitlines() if self._audit.exists() else []
        return [json.loads(line) for line in lines]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = "json",
        user: str = _ADMINISTRATOR,
    ) -> Answer:
        """Send a request; `kind` is that of the body's content type."""
        context = ssl.create_default_context(cafile=str(self._certificate))
        connection = http.client.HTTPSConnection(self._host, self.port, timeout=30, context=context)
        headers = {
            "Authorization": f"Bearer {self._tokens[user]}",
            "Content-Type": f"application/{kind}",
            "Accept": "application/json",
        }
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        found = json.loads(text) if text[:1] == b"{" else {"message": text.decode()}
        return Answer(response.status, found)

    def _write_keys(self) -> None:
        """Make one key: of the server, which is its own authority, and of service accounts."""
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7"]
        command += ["-subj", "/CN=lab", "-addext", f"subjectAltName=IP:{self._host}"]
        files = ["-keyout", str(self._directory / "server.key"), "-out", str(self._certificate)]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=60)
        tokens = f"{self._tokens[_ADMINISTRATOR]},{_ADMINISTRATOR},1,system:masters\n"
        (self._directory / "tokens").write_text(tokens, encoding="utf-8")
        (self._directory / "audited").write_text(json.dumps(_AUDITED), encoding="utf-8")

    def _start_etcd(self) -> str:
        client, peer = (f"http://{HOST}:{free_port()}" for _ in range(2))
        options = {
            "data-dir": self._directory / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "log-level": "warn",
        }
        process = self._start("etcd", options)
        port = int(client.rpartition(":")[2])
        self._wait(process, "etcd", lambda: _answers(port))
        return client

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def _start(self, name: str, options: dict[str, Any]) -> subprocess.Popen[bytes]:
        arguments = [f"--{option}={value}" for option, value in options.items()]
        log = self._stack.enter_context((self._directory / f"{name}.log").open("wb"))
        path = program(name)
        with undisturbed():
            process = subprocess.Popen(
                [path, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            self._stack.callback(_stop, process)
        return process

    def _wait(self, process: subprocess.Popen[bytes], name: str, ready: Any) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and process.poll() is None:
            if ready():
                return
            time.sleep(0.05)
        log = (self._directory / f"{name}.log").read_text("utf-8", "replace").splitlines()
        raise ApiServerError(f"{name} is not ready: {_last(log)}")

    def _write_kubeconfig(self) -> None:
        cluster = {
            "server": f"https://{self._host}:{self.port}",
            "certificate-authority-data": base64.b64encode(self._certificate.read_bytes()).decode(),
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [
                {"name": name, "user": {"token": token}} for name, token in self._tokens.items()
            ],
            "contexts": [
                {"name": name, "context": {"cluster": "lab", "user": name}} for name in self._tokens
            ],
            "current-context": _ADMINISTRATOR,
        }
        self.kubeconfig.touch(0o600)
        self.kubeconfig.write_text(json.dumps(document, indent=1), encoding="utf-8")


def free_port(host: str = HOST) -> int:
    """Return a TCP port of an address of this host that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _last(log: Sequence[str]) -> str:
    return log[-1] if log else "it said nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
