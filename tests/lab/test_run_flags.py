"""Flags, signals and secrets of a running appliance."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll

pytestmark = pytest.mark.lab

PREFIX = "198.51.100.10/32"
EVERY_FLAG = (
    *("--namespace", "balancers", "--lb-class", "example.org/lb", "--ignore-exclude-lb"),
    *("--http", "127.0.0.1:7999", "--on-stop", "withdraw", "--orphan-hold", "0"),
    *("--log-level", "debug", "--log-format", "json"),
)
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  type: LoadBalancer
  loadBalancerClass: example.org/lb
  clusterIPs: [10.96.0.1]
  ipFamilies: [IPv4]
  ports: [{port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
endpoints: [{addresses: [10.0.0.2], nodeName: box}]
ports: [{port: 80}]
---
apiVersion: v1
kind: Node
metadata: {name: box, labels: {node.kubernetes.io/exclude-from-external-load-balancers: ""}}
---
"""


def test_every_flag_has_its_effect(pair: Lab, workdir: Path) -> None:
    """Namespace, class, excluded nodes, port and log form are as the flags say."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    objects = (peer() + POOL).replace("metallb-system", "balancers")
    box.write(objects + SERVICE)
    box.start(*EVERY_FLAG)
    poll(lambda: set(frr.rib()) == {"198.51.100.0/32"})
    ready = ["curl", "-s", "http://127.0.0.1:7999/readyz"]
    assert box.node.run(ready).stdout == "ok\n"
    lines = [json.loads(line) for line in box.log.splitlines() if line.startswith("{")]
    assert {"ts", "level", "role", "msg"} <= set(lines[0])
    assert {line["role"] for line in lines} >= {"speaker", "exabgp"}
    assert box.stop() == 0


def test_environment_stands_in_for_flags(pair: Lab, workdir: Path) -> None:
    """ORCHESTRATOR_<FLAG> sets what no flag sets; a flag goes before it."""
    Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start(env={"ORCHESTRATOR_HTTP": "127.0.0.1:7998", "ORCHESTRATOR_NODE": "other"})
    poll(lambda: box.call("status").returncode == 0)
    assert box.ask("status")["node"] == "box"
    live = ["curl", "-s", "http://127.0.0.1:7998/healthz"]
    assert box.node.run(live).stdout == "ok\n"


def test_hup_reads_again_and_usr1_dumps(pair: Lab, workdir: Path) -> None:
    """HUP to `run` reloads without harm; USR1 writes the whole state to the log."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start("--log-format", "json")
    poll(lambda: PREFIX in frr.rib())
    box.signal(box.pid("run"), "HUP")
    box.signal(box.pid("run"), "USR1")
    poll(lambda: '"state dump"' in box.log)
    dump = next(json.loads(line) for line in box.log.splitlines() if '"state dump"' in line)
    assert dump["dump"]["plan"]["routes"][0]["prefix"] == PREFIX
    assert PREFIX in frr.rib()


def test_password_is_only_in_the_private_file(pair: Lab, workdir: Path) -> None:
    """A TCP-MD5 password is in no log, dump, answer, argv or environment; its file is 0600."""
    word = "Xyzzy-31415"
    neighbor = Neighbor("10.0.0.2", 64500, password=word)
    frr = Frr(pair.node("r"), neighbors=[neighbor]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer(extra=f", password: {word}") + POOL + vip())
    box.start("--log-level", "debug")
    poll(lambda: PREFIX in frr.rib())
    box.signal(box.pid("run"), "USR1")
    poll(lambda: "state dump" in box.log)
    answers = [box.call(name, "-o", "json").stdout for name in ("status", "sessions", "events")]
    plan = box.call("plan", "-f", str(box.files), "-o", "json").stdout
    processes = box.node.run(["ps", "axeww", "-o", "args"]).stdout
    assert not [text for text in (box.log, plan, processes, *answers) if word in text]
    holding = [
        path
        for directory in (box.runtime_dir, box.state_dir)
        for path in directory.iterdir()
        if path.is_file() and word.encode() in path.read_bytes()
    ]
    assert {path.name for path in holding} <= {"exabgp.conf", "last-good.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in holding)
