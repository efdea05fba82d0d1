"""Health checks and drain of a running appliance, as the router sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll, steady

pytestmark = pytest.mark.lab

PREFIX = "198.51.100.10/32"
FAST = "intervalMs: 200, fastIntervalMs: 100, timeoutMs: 300, rise: 1, fall: 2"


@pytest.fixture
def frr(pair: Lab) -> Frr:
    """A router that waits for the appliance."""
    return Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()


def appliance(pair: Lab, workdir: Path, extra: str) -> Appliance:
    """Start an appliance with one VIP that has further fields."""
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip(extra=extra))
    return box.start()


def test_http_check_withdraws_and_comes_back(frr: Frr, pair: Lab, workdir: Path) -> None:
    """While the server behind a VIP is away the route is away; it returns with the server."""
    box = appliance(pair, workdir, f", check: {{http: {{port: 8080, path: /}}, {FAST}}}")
    argv = ["python3", "-m", "http.server", "8080", "--bind", "127.0.0.1"]
    poll(lambda: box.call("status").returncode == 0 and box.ask("status")["synced"])
    assert PREFIX not in frr.rib()
    server = box.node.spawn(argv)
    poll(lambda: PREFIX in frr.rib())
    server.terminate()
    poll(lambda: PREFIX not in frr.rib())
    assert box.ask("vips")["items"][0]["health"] == "down"
    box.node.spawn(argv)
    poll(lambda: PREFIX in frr.rib())
    kinds = {(e["kind"], e["old"], e["new"]) for e in box.ask("events")["items"]}
    assert {("health", "up", "down"), ("health", "down", "up")} <= kinds


def test_demoted_vip_keeps_its_route_with_another_med(frr: Frr, pair: Lab, workdir: Path) -> None:
    """With onDown demote the route stays; MED and community follow the state of health."""
    flag, disable = workdir / "flag", workdir / "disable"
    box = appliance(
        pair,
        workdir,
        f", onDown: demote, med: {{up: 10, down: 500, disabled: 900}}, "
        f'communities: {{down: ["64500:1"]}}, '
        f"check: {{exec: {{command: [/usr/bin/test, -e, {flag}]}}, disableFile: {disable}, {FAST}}}",
    )

    def seen() -> tuple[int | None, list[str]]:
        paths = frr.rib().get(PREFIX)
        return (paths[0]["med"], paths[0]["communities"]) if paths else (None, [])

    poll(lambda: seen() == (500, ["64500:1"]))
    flag.touch()
    poll(lambda: seen() == (10, []))
    disable.touch()
    poll(lambda: seen() == (900, []))
    disable.unlink()
    poll(lambda: seen() == (10, []))
    assert box.ask("vips")["items"][0]["reason"] == "announced"


def test_hanging_check_is_down_and_leaves_no_process(frr: Frr, pair: Lab, workdir: Path) -> None:
    """A command that hangs is killed with its children; the VIP is down, others are not held up."""
    script = workdir / "hang"
    script.write_text("#!/bin/sh\ntrap '' TERM\nsleep 7654 & sleep 7654\n", encoding="ascii")
    script.chmod(0o755)
    box = appliance(pair, workdir, f", check: {{exec: {{command: [{script}]}}, {FAST}}}")
    box.write(vip("other", "198.51.100.11"), "other.yaml")
    poll(lambda: set(frr.rib()) == {"198.51.100.11/32"})
    poll(lambda: "no answer within 0.3 s" in box.explain("virtualip/web")["message"])
    box.write(peer() + POOL + vip())
    poll(lambda: PREFIX in frr.rib())
    poll(lambda: "sleep 7654" not in box.node.run(["ps", "axo", "args"]).stdout)


def test_restarted_speaker_knows_the_health(frr: Frr, pair: Lab, workdir: Path) -> None:
    """A speaker restarted while checks are slow keeps the route of a healthy VIP in place."""
    slow = "intervalMs: 60000, timeoutMs: 20000"
    flag = workdir / "flag"
    flag.touch()
    command = f"[/usr/bin/test, -e, {flag}]"
    box = appliance(pair, workdir, f", check: {{exec: {{command: {command}}}, {slow}}}")
    poll(lambda: PREFIX in frr.rib())
    box.wait_new("speaker", box.kill("speaker"))
    steady(lambda: PREFIX in frr.rib(), 2, "the route stays")


def test_drain_demotes_withdraws_and_outlives_a_restart(frr: Frr, pair: Lab, workdir: Path) -> None:
    """Drain: 65535:0 and local preference 0, then withdrawn, also for a new speaker; undrain."""
    box = appliance(pair, workdir, "")
    poll(lambda: PREFIX in frr.rib())
    assert box.call("drain", "--wait", "3").returncode == 0
    poll(lambda: frr.rib().get(PREFIX, [{}])[0].get("local_pref") == 0)
    assert frr.rib()[PREFIX][0]["communities"] == ["65535:0"]
    assert box.explain("198.51.100.10")["reason"] == "draining"
    poll(lambda: PREFIX not in frr.rib())
    assert box.ask("status")["draining"] is True

    box.wait_new("speaker", box.kill("speaker"))
    poll(lambda: box.call("status").returncode == 0 and box.ask("status")["synced"])
    steady(lambda: PREFIX not in frr.rib(), 1, "still drained")
    assert box.call("undrain").returncode == 0
    poll(lambda: frr.rib().get(PREFIX, [{}])[0].get("local_pref") == 100)
