"""What a running appliance answers: HTTP, the Unix socket, and `plan --against live`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll

pytestmark = pytest.mark.lab

URL = "http://127.0.0.1:7472"
KEYS = {
    "status": {
        "node",
        "version",
        "role",
        "startedAt",
        "synced",
        "configValid",
        "problems",
        "draining",
        "counts",
        "virtualRouters",
    },
    "sessions": {
        "node",
        "peer",
        "address",
        "port",
        "myASN",
        "peerASN",
        "ibgp",
        "families",
        "state",
        "since",
        "lastError",
        "updates",
        "routes",
    },
    "routes": {
        "node",
        "peer",
        "prefix",
        "nextHop",
        "localPref",
        "med",
        "communities",
        "largeCommunities",
        "asPath",
        "services",
        "state",
    },
    "vips": {"service", "address", "protocol", "reason", "message", "since", "health", "segments"},
    "events": {
        "time",
        "kind",
        "service",
        "vip",
        "node",
        "peer",
        "old",
        "new",
        "reason",
        "message",
    },
}
"""Keys of CLI.md by document: of the document itself, or of each item."""
COUNTS = {
    "services": 1,
    "vips": 1,
    "announced": 1,
    "sessions": 1,
    "sessionsUp": 1,
    "routesDesired": 1,
    "routesSent": 1,
    "routesFlushed": 1,
    "owned": 0,
}


@pytest.fixture
def box(pair: Lab, workdir: Path) -> Appliance:
    """An appliance whose only VIP has reached the router."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    appliance = Appliance(pair.node("a"), workdir)
    appliance.write(peer() + POOL + vip())
    appliance.start()
    poll(lambda: "198.51.100.10/32" in frr.rib())
    poll(lambda: appliance.ask("status")["counts"] == COUNTS)
    return appliance


def fetch(box: Appliance, path: str, *flags: str) -> tuple[int, str]:
    """Status and body of a request over TCP from the node itself."""
    argv = ["curl", "-s", "-w", "\n%{http_code}", *flags, URL + path]
    body, _, status = box.node.run(argv, timeout_s=20).stdout.rpartition("\n")
    return int(status), body


def test_every_document_has_the_keys_of_the_contract(box: Appliance) -> None:
    """HTTP and the commands give the same documents, with every key of CLI.md and the docs."""
    for name, keys in KEYS.items():
        status, body = fetch(box, f"/api/v1/{name}")
        assert status == 200
        document: Any = json.loads(body)
        first = document if name == "status" else document["items"][0]
        assert set(first) == keys, name
        printed = box.ask(name)
        if name != "events":
            assert printed == document


def test_probes_metrics_plan_page_and_explain(box: Appliance) -> None:
    """The other answers of the HTTP server are there, and say what is so."""
    assert fetch(box, "/healthz") == (200, "ok\n")
    assert fetch(box, "/readyz") == (200, "ok\n")
    metrics = fetch(box, "/metrics")[1]
    assert 'orchestrator_bgp_session_up{peer="r"} 1.0' in metrics
    assert "orchestrator_announced 1.0" in metrics
    plan = json.loads(fetch(box, "/api/v1/plan")[1])
    assert [route["prefix"] for route in plan["routes"]] == ["198.51.100.10/32"]
    page = fetch(box, "/")[1]
    assert "198.51.100.10" in page
    assert "<script" not in page
    explained = json.loads(fetch(box, "/api/v1/explain/virtualip/web")[1])
    assert explained["nodes"][0]["announced"] is True
    assert fetch(box, "/api/v1/explain/192.0.2.77")[0] == 404


def test_tcp_changes_nothing(box: Appliance) -> None:
    """Control requests are answered on the Unix socket only."""
    assert fetch(box, "/control/drain", "-X", "POST")[0] == 404
    assert fetch(box, "/api/v1/status", "-X", "POST")[0] == 405
    assert box.ask("status")["draining"] is False
    assert box.call("drain", "--wait", "bad").returncode == 2
    assert box.call("drain", "elsewhere").returncode == 1


def test_events_can_be_followed(box: Appliance) -> None:
    """A follower sees a change when it happens."""
    log = box.directory / "follow.log"
    argv = box.argv("events", "--follow", "--runtime-dir", str(box.runtime_dir))
    box.node.spawn(argv, log=log)
    poll(lambda: box.call("undrain").returncode == 0)
    box.write(vip("late", "198.51.100.12"), "late.yaml")
    box.write(vip("later", "198.51.100.13"), "later.yaml")
    poll(lambda: "vip=198.51.100.13" in log.read_text())


def test_plan_against_the_running_speaker(box: Appliance, workdir: Path) -> None:
    """`plan --against live` is status 0 for the files that run, 1 with the difference for others."""
    same = box.call("plan", "-f", str(box.files), "--against", "live")
    assert (same.returncode, same.stdout) == (0, "no difference\n")
    other = workdir / "other.yaml"
    other.write_text(peer() + POOL + vip(address="198.51.100.99"), encoding="ascii")
    difference = box.ask("plan", "-f", str(other), "--against", "live", status=1)
    assert [route["prefix"] for route in difference["routes"]["added"]] == ["198.51.100.99/32"]
    assert [route["prefix"] for route in difference["routes"]["removed"]] == ["198.51.100.10/32"]
