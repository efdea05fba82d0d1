"""A Kubernetes cluster in network namespaces: what is real, and how to use it.

Real are kube-apiserver with etcd (on this host), a controller, three nodes with what a DaemonSet's pod runs
(speaker, ExaBGP with its relay, layer 2) and kube-proxy in iptables mode, and FRR as the router that they
have sessions with. Not there are kubelets and Kubernetes' controllers: `pods` stands for them.

    with Cluster(workdir) as cluster:
        cluster.start()
        for one in (*peers(), pool("edge", "203.0.113.0/24"), bgp_advertisement("edge")):
            cluster.apply(one)
        cluster.apply(service("web"))
        cluster.pods.start("web", "n1")
        # cluster.ingress("web") -> ["203.0.113.1"]; cluster.next_hops("203.0.113.1") -> {"192.168.10.11"}
        # cluster.ask("client", "203.0.113.1") -> "web-1"

`server` is the API server (`request`, `audited`, `kill`), `router` FRR, `node(NAME)` a namespace to run
programs in, `roles[NODE, ROLE]` a running process. Objects are those of `kube_objects`; roles' logs
are in `workdir`. All is gone at the end of the block, also after a failure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from orchestrator.config.publish.definitions import definitions
from orchestrator.lab import frr
from orchestrator.lab import kube_objects as objects
from orchestrator.lab.apiserver import ApiServer, ApiServerError, program
from orchestrator.lab.commands import orchestrator
from orchestrator.lab.frr import Frr
from orchestrator.lab.kube_build import BuildError, silent
from orchestrator.lab.kube_pods import Pods
from orchestrator.lab.kube_topology import (
    CONTROL,
    NODES,
    NODES6,
    PODS,
    PODS6,
    ROUTER,
    frr_configuration,
    kube_topology,
    management,
    switch_port,
)
from orchestrator.lab.links import ip
from orchestrator.lab.node import Node, end_group
from orchestrator.lab.runner import Lab, LabError
from orchestrator.lab.segment import SWITCH

PACKAGES = {"iptables": "iptables", "openssl": "openssl"}
"""What the lab needs besides the runner's programs, FRR and what can be built, with the Debian packages."""
NODE_ROLES = ("exabgp", "layer2", "speaker")
LIMIT_S = 60.0
_LABS = 64
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Cluster:
    """The lab, up while the `with` block lasts; the roles run after `start`."""

    def __init__(self, workdir: Path, say: Callable[[str], None] = silent) -> None:
        self.workdir = workdir
        self._say = say
        self._stack = ExitStack()
        self.roles: dict[tuple[str, str], subprocess.Popen[str]] = {}
        self._flags: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def close(self) -> None:
        """End everything; nothing is left."""
        self._stack.close()

    def up(self) -> None:
        """Bring all but the roles up; after a failure nothing is left. LabError when it cannot be done."""
        try:
            self._up()
        except BaseException:
            self._stack.close()
            raise

    def _up(self) -> None:
        if reason := lacking():
            raise LabError(reason)
        self._programs()
        number = _free_number()
        host, address, _ = management(number)
        self._lab = self._stack.enter_context(
            Lab(kube_topology(f"kube{number}", number), self.workdir)
        )
        failed = [result for result in self._lab.exec_results if result.returncode]
        if failed:
            raise LabError(f"{failed[0].node}: {' '.join(failed[0].argv)}: {failed[0].output}")
        ip(["addr", "add", f"{address}/24", "dev", host])
        self.server = self._stack.enter_context(ApiServer(address))
        # First of all at the end: kube-apiserver waits for its clients before it ends.
        self._stack.callback(self._kill_roles)
        self._install()
        self.pods = Pods(self._lab.nodes, self.apply)
        self.router = Frr(self.node(ROUTER))
        self.router.start(frr_configuration())

    def _programs(self) -> None:
        """See to it that Kubernetes' programs are there, and build those that are not."""
        try:
            for name in ("etcd", "kube-apiserver", "kube-proxy"):
                program(name, self._say)
        except (ApiServerError, BuildError) as error:
            raise LabError(str(error)) from None

    def _kill_roles(self) -> None:
        for process in self.roles.values():
            end_group(process)
            process.wait()

    def _install(self) -> None:
        """Make what an installation has: definitions, the namespace, Nodes."""
        for definition in definitions():
            self.request("POST", _DEFINITIONS, definition)
        self.apply({"kind": "Namespace", "metadata": {"name": objects.HOME}})
        for name in NODES:
            made = objects.node(name, [NODES[name], NODES6[name]])
            self.apply(made)
            self.request("PUT", f"{objects.path('Node', name)}/status", made)
        self.wait("the definitions to be served", self._served)

    def _served(self) -> bool:
        items = self.request("GET", _DEFINITIONS)["items"]
        return all(_established(one) for one in items)

    def node(self, name: str) -> Node:
        """Return a node's namespaces: n1, n2, n3, r1, client, lan or control."""
        return self._lab.node(name)

    def cut(self, node: str) -> None:
        """Pull a node's cable out of the segment."""
        self.node(SWITCH).link_down(switch_port(node))

    def mend(self, node: str) -> None:
        """Put the cable back."""
        self.node(SWITCH).link_up(switch_port(node))

    def power_off(self, node: str) -> None:
        """End a node at once, with all that runs in it; it does not come back.

        Its cable is pulled first: the kernel would end the sessions of killed processes in good order.
        """
        self.cut(node)
        self.node(node).kill()
        for key in [key for key in self.roles if key[0] == node]:
            self.roles.pop(key).wait(LIMIT_S)

    # Roles

    def start(self, contexts: Mapping[str, str] | None = None, **flags: Sequence[str]) -> None:
        """Start kube-proxy and all roles.

        `contexts` names the context of the server's kubeconfig for `controller` and `speaker`, where it is not
        that of the administrator; `flags` are further ones, by role.
        """
        kubeconfig = self.workdir / "kubeconfig"
        kubeconfig.write_bytes(self.server.kubeconfig.read_bytes())
        kubeconfig.chmod(0o600)
        reach = ("--kubeconfig", str(kubeconfig))
        for role in ("controller", "speaker"):
            context = (contexts or {}).get(role)
            chosen = ("--context", context) if context else ()
            self._flags[role] = ("--http", "off", *reach, *chosen, *flags.get(role, ()))
        for role in ("exabgp", "layer2"):
            self._flags[role] = tuple(flags.get(role, ()))
        self.start_role(CONTROL, "controller")
        for node in NODES:
            self._start_proxy(node, kubeconfig)
            for role in NODE_ROLES:
                self.start_role(node, role)

    def start_role(self, node: str, role: str, *flags: str) -> None:
        """Start one role where it has ended, as `start` did but for further flags."""
        inside = self.node(node)
        argv = [*orchestrator(role), "--node", node, *self._flags[role], *flags]
        self.roles[node, role] = inside.spawn(argv, log=self.workdir / f"{node}-{role}.log")

    def stop_role(self, node: str, role: str) -> None:
        """End one role in an orderly way (TERM); LabError when it does not end well."""
        process = self.roles.pop((node, role))
        process.terminate()
        if status := process.wait(LIMIT_S):
            raise LabError(f"{role} of {node} ended with status {status}; see {node}-{role}.log")

    def _start_proxy(self, node: str, kubeconfig: Path) -> None:
        options = {
            "kubeconfig": kubeconfig,
            "hostname-override": node,
            "proxy-mode": "iptables",
            "cluster-cidr": f"{PODS},{PODS6}",
            "iptables-min-sync-period": "10ms",
            "iptables-localhost-nodeports": "false",
            "healthz-bind-address": "127.0.0.1:10256",
            # Limits of the whole host, which a node of a lab may not change.
            "conntrack-max-per-core": 0,
            "conntrack-tcp-timeout-established": "0s",
            "conntrack-tcp-timeout-close-wait": "0s",
        }
        argv = [
            str(program("kube-proxy")),
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        log = self.workdir / f"{node}-kube-proxy.log"
        self.roles[node, "kube-proxy"] = self.node(node).spawn(argv, log=log)

    # Objects

    def request(self, method: str, path: str, body: Any = None, kind: str = "json") -> Any:
        """Send a request as the administrator and return the answer's body; LabError when refused."""
        answer = self.server.request(method, path, body, kind)
        if answer.status >= 300:
            raise LabError(f"{method} {path}: {answer.status} {answer.message}")
        return answer.body

    def apply(self, document: objects.Object) -> None:
        """Make an object, or give the one that is there this one's fields."""
        metadata = document["metadata"]
        namespace = metadata.get("namespace", "")
        place = objects.path(document["kind"], namespace=namespace)
        answer = self.server.request("POST", place, document)
        if answer.status == 409:
            self.patch(document["kind"], metadata["name"], document, namespace)
        elif answer.status != 201:
            raise LabError(f"{document['kind']} {metadata['name']}: {answer.message}")

    def patch(self, kind: str, name: str, body: Mapping[str, Any], namespace: str = "") -> None:
        """Change fields of an object (a merge patch, RFC 7396)."""
        place = objects.path(kind, name, namespace)
        self.request("PATCH", place, body, kind="merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object; nothing when it is not there."""
        answer = self.server.request("DELETE", objects.path(kind, name, namespace))
        if answer.status not in (200, 202, 404):
            raise LabError(f"{kind} {name}: {answer.message}")

    def items(self, kind: str, namespace: str = "") -> list[objects.Object]:
        """Return all objects of a kind in a namespace."""
        found: list[objects.Object] = self.request("GET", objects.path(kind, "", namespace))[
            "items"
        ]
        return found

    def ingress(self, service: str, namespace: str = "default") -> list[str]:
        """Return the addresses in a Service's status."""
        found = self.request("GET", objects.path("Service", service, namespace))
        entries = found["status"]["loadBalancer"].get("ingress", ())
        return [entry["ip"] for entry in entries]

    # What is seen from outside

    def next_hops(self, address: str) -> frozenset[str]:
        """Return the next hops that the router's bgpd uses for an address; none without a route."""
        family, length = ("ipv6", 128) if ":" in address else ("ipv4", 32)
        found = self.router.json(f"show bgp {family} unicast {address}/{length}").get("paths", [])
        return frozenset(_next_hop(path) for path in found if _used(path))

    def ask(self, client: str, address: str, port: int = 80) -> str:
        """Send an HTTP request from a client's node; name of the pod that answers, else `failed`."""
        answers = self.ask_often(client, address, 1, port)
        return next(iter(answers))

    def ask_often(self, client: str, address: str, count: int, port: int = 80) -> dict[str, int]:
        """Send HTTP requests, each on a new connection; answers by name of the pod."""
        target = f"{address}:{port}"
        argv = [sys.executable, "-m", "orchestrator.lab.requests", str(count), target]
        asked = self.node(client).run(argv, timeout_s=60 + 4 * count)
        answers: dict[str, int] = json.loads(asked.stdout)
        return answers

    def says(self, node: str, command: str) -> list[Any]:
        """Return what a speaker says: `sessions`, `routes`, `vips` or `events`."""
        argv = [*orchestrator(command), "-o", "json"]
        done = self.node(node).run(argv, timeout_s=30, check=False)
        found: list[Any] = json.loads(done.stdout or "{}").get("items", [])
        return found

    def wait(self, what: str, so: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
        """Wait until something is so, and return it; LabError with `what` when it never is."""
        deadline = time.monotonic() + limit_s
        while not (found := so()):
            if time.monotonic() > deadline:
                raise LabError(f"waited {limit_s:.0f} s for {what}{self._ended()}")
            time.sleep(0.05)
        return found

    def _ended(self) -> str:
        """Name the roles that have ended by themselves: nobody starts them again here."""
        ended = [key for key, process in self.roles.items() if process.poll() is not None]
        return "".join(f"; {role} of {node} has ended" for node, role in ended)


def lacking() -> str | None:
    """Say which program of the lab is not on this host; None when all are, or can be built."""
    missing = [package for name, package in PACKAGES.items() if shutil.which(name) is None]
    if missing:
        return f"not installed: apt-get install {' '.join(missing)}"
    return frr.lacking()


def _free_number() -> int:
    """Find a number whose interface this host does not have: a lab of its own for each caller."""
    for number in range(_LABS):
        if not Path("/sys/class/net", management(number)[0]).exists():
            return number
    raise LabError(f"{_LABS} labs are up already: take one down first")


def _established(definition: objects.Object) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _next_hop(path: Mapping[str, Any]) -> str:
    hops = path["nexthops"]
    found = [hop for hop in hops if hop.get("scope") != "link-local"] or hops
    return str(found[0]["ip"])


def _used(path: Mapping[str, Any]) -> bool:
    return bool(path.get("bestpath", {}).get("overall") or path.get("multipath"))
