"""The table of DESIGN 2, cell by cell: killed, stopped and held roles on a real router."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.appliance import POOL, Appliance, peer, vip
from tests.lab.harness import Frr, Lab, Neighbor, poll, steady

pytestmark = pytest.mark.lab

PREFIX = "198.51.100.10/32"
RESTARTING = ", enableGracefulRestart: true"


def running(pair: Lab, workdir: Path, *flags: str, extra: str = "") -> tuple[Frr, Appliance]:
    """Start a router and an appliance, and wait for the route."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
    box = Appliance(pair.node("a"), workdir)
    box.write(peer(extra=extra) + POOL + vip())
    box.start(*flags)
    poll(lambda: PREFIX in frr.rib())
    return frr, box


def established(frr: Frr) -> int:
    """Times the session to the appliance came up."""
    neighbor = frr.json("show bgp neighbors 10.0.0.2")["10.0.0.2"]
    return int(neighbor["connectionsEstablished"])


def bound(box: Appliance) -> str:
    """What is on the node's loopback interface."""
    return box.node.run(["ip", "-br", "addr", "show", "lo"]).stdout


def session_up(box: Appliance) -> bool:
    """Tell whether a speaker answers and says that its session is up."""
    if box.call("status").returncode != 0:
        return False
    return any(item["state"] == "up" for item in box.ask("sessions")["items"])


def ours(box: Appliance) -> list[str]:
    """Processes of the appliance that still run in the node."""
    everything = box.node.run(["ps", "axo", "args"]).stdout.splitlines()
    return [line for line in everything if str(box.directory) in line or "exabgp" in line]


def test_killed_speaker_costs_no_route(pair: Lab, workdir: Path) -> None:
    """After kill -9 of the speaker the route stays, the session too, and a new speaker works."""
    frr, box = running(pair, workdir)
    sessions = established(frr)
    box.wait_new("speaker", box.kill("speaker"))
    steady(lambda: PREFIX in frr.rib(), 2, "the route stays")
    box.write(vip("two", "198.51.100.11"), "two.yaml")
    poll(lambda: set(frr.rib()) == {PREFIX, "198.51.100.11/32"})
    assert established(frr) == sessions


def test_killed_exabgp_role_comes_back_with_all_routes(pair: Lab, workdir: Path) -> None:
    """After kill -9 of the exabgp role sessions and routes come back by themselves."""
    frr, box = running(pair, workdir)
    box.wait_new("exabgp", box.kill("exabgp"))
    poll(lambda: PREFIX in frr.rib() and session_up(box))


def test_killed_addresses_role_leaves_vips_bound(pair: Lab, workdir: Path) -> None:
    """After kill -9 of the addresses role the VIP stays bound, and its successor knows it as ours."""
    frr, box = running(pair, workdir)
    box.wait_new("addresses", box.kill("addresses"))
    assert PREFIX in bound(box)
    box.write(peer() + POOL)
    poll(lambda: PREFIX not in frr.rib())
    poll(lambda: PREFIX not in bound(box))


def test_killed_run_is_succeeded_by_one_that_adopts_exabgp(pair: Lab, workdir: Path) -> None:
    """After kill -9 of `run` its children die but ExaBGP stays; the next `run` adopts it."""
    frr, box = running(pair, workdir)
    sessions, exabgp, speaker = established(frr), box.pid("exabgp"), box.pid("speaker")
    box.kill("run")
    poll(lambda: not box.is_alive(speaker))
    assert box.is_alive(exabgp)
    box.start()
    box.wait_new("speaker", speaker)
    poll(lambda: session_up(box))
    assert box.pid("exabgp") == exabgp
    assert established(frr) == sessions
    assert PREFIX in frr.rib()
    assert box.stop() == 0
    poll(lambda: PREFIX not in frr.rib())
    assert not box.is_alive(exabgp)


def test_stopped_speaker_leaves_its_routes(pair: Lab, workdir: Path) -> None:
    """TERM to the speaker alone leaves routes and session to its successor."""
    frr, box = running(pair, workdir)
    sessions, pid = established(frr), box.pid("speaker")
    box.signal(pid, "TERM")
    box.wait_new("speaker", pid)
    steady(lambda: PREFIX in frr.rib(), 2, "the route stays")
    assert established(frr) == sessions


def test_stop_withdraws_before_the_session_ends(pair: Lab, workdir: Path) -> None:
    """TERM to `run` withdraws by UPDATE first, so nothing stays stale under graceful restart."""
    frr, box = running(pair, workdir, extra=RESTARTING)
    assert box.stop() == 0
    assert PREFIX not in frr.rib()
    assert PREFIX not in bound(box)


def test_held_stop_leaves_routes_for_the_restart_time(pair: Lab, workdir: Path) -> None:
    """With --on-stop hold and graceful restart the router keeps the route, and VIPs stay bound."""
    frr, box = running(pair, workdir, "--on-stop", "hold", extra=RESTARTING)
    assert box.stop() == 0
    steady(lambda: PREFIX in frr.rib(), 2, "the router keeps the route")
    assert PREFIX in bound(box)
    box.start("--on-stop", "hold")
    poll(lambda: PREFIX in frr.rib() and session_up(box))
    steady(lambda: PREFIX in frr.rib(), 2, "the route was never gone")


def test_orphaned_exabgp_withdraws_after_the_hold(pair: Lab, workdir: Path) -> None:
    """Without a speaker for --orphan-hold seconds everything is withdrawn and the log says so."""
    frr, box = running(pair, workdir, "--orphan-hold", "2")
    box.kill("run")
    poll(lambda: PREFIX not in frr.rib())
    assert "no speaker" in box.log


def test_second_term_stops_at_once(pair: Lab, workdir: Path) -> None:
    """A second TERM ends `run` and all its roles without waiting for a hanging one."""
    _, box = running(pair, workdir)
    speaker = box.pid("speaker")
    box.signal(speaker, "STOP")
    assert box.process is not None
    box.process.terminate()
    poll(lambda: "stopping" in box.log)
    box.process.terminate()
    box.process.wait(5)
    poll(lambda: not box.is_alive(speaker))


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_stop_amid_the_start_leaves_nothing(pair: Lab, workdir: Path, after_s: float) -> None:
    """TERM at any moment of the start ends everything: no process, no address, no socket."""
    box = Appliance(pair.node("a"), workdir)
    box.write(peer() + POOL + vip())
    box.start()
    lock = box.runtime_dir / "run.lock"
    poll(lambda: lock.exists() and lock.read_text())
    time.sleep(after_s)  # the moment of the fault, not a wait for something
    box.stop()
    poll(lambda: not ours(box), what=f"nothing is left; {ours(box)}")
    assert PREFIX not in bound(box)
