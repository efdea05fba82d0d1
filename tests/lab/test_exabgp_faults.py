"""Faults around ExaBGP: after each there is no ghost route, no missing route, no other session touched."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from orchestrator.model.session_state import SessionStatus
from tests.lab.exabgp_side import Side, Speaker, freeze, hosts, kill, peer, rib, route, thaw
from tests.lab.harness import Frr, Lab, Neighbor, joined, poll, steady

pytestmark = pytest.mark.lab

R, S = peer("r", "10.0.0.1", hold_time_s=30), peer("s", "10.0.0.3")
P1, P2, P3 = (f"192.0.2.{number}/32" for number in (1, 2, 3))


def _holds(frr: Frr, prefixes: tuple[str, ...]) -> bool:
    return set(frr.rib()) == set(prefixes)


class Scene:
    """Two routers and our side, with P1 announced to both."""

    def __init__(self, lab: Lab, workdir: Path, *flags: str) -> None:
        self.lab = lab
        self.r, self.s = (
            Frr(lab.node(name), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
            for name in ("r", "s")
        )
        self.side = Side(lab.node("a"), workdir, *flags).start()

    def announce(self, speaker: Speaker, *prefixes: str) -> None:
        """Announce these to both routers."""
        routes = rib(*(route(prefix) for prefix in prefixes))
        speaker.want({R: routes, S: routes})

    def both_hold(self, *prefixes: str) -> None:
        """Wait until both routers hold exactly these."""
        for frr in (self.r, self.s):
            poll(partial(_holds, frr, prefixes), 60, f"{prefixes} in {frr.node.name}")

    def other_untouched(self) -> None:
        """The session with `s` was established once only."""
        neighbor = self.s.json("show bgp neighbors")["10.0.0.2"]
        assert neighbor["connectionsEstablished"] == 1


@pytest.fixture
def scene(workdir: Path) -> Iterator[Scene]:
    """Routers `r` and `s`, and our side in `a`."""
    with joined(workdir, "r", "a", "s") as lab:
        yield Scene(lab, workdir)


@pytest.fixture
def speaker(scene: Scene) -> Iterator[Speaker]:
    """A speaker that has announced P1 to both routers."""
    with scene.side.speaker() as one:
        scene.announce(one, P1)
        one.wait_flushed()
        scene.both_hold(P1)
        yield one


def test_router_restarted(scene: Scene, speaker: Speaker) -> None:
    """A router killed and started again has what is wanted by then."""
    scene.r.kill()
    scene.announce(speaker, P2, P3)
    scene.r.start()
    scene.both_hold(P2, P3)
    scene.other_untouched()


def test_link_cut(scene: Scene, speaker: Speaker) -> None:
    """A cable out for longer than the hold time costs nobody else a route, and mends when it is back."""
    short = peer("r", "10.0.0.1", hold_time_s=3)
    speaker.want({short: rib(route(P1)), S: rib(route(P1))})
    speaker.wait_flushed()
    scene.lab.node("r").link_down("eth1")
    speaker.want({short: rib(route(P2)), S: rib(route(P2))})
    poll(lambda: set(scene.s.rib()) == {P2})
    poll(lambda: speaker.state().status is SessionStatus.DOWN)
    speaker.want({short: rib(route(P3)), S: rib(route(P3))})
    poll(lambda: set(scene.s.rib()) == {P3})
    scene.lab.node("r").link_up("eth1")
    scene.both_hold(P3)
    scene.other_untouched()


def test_link_cut_for_a_moment(scene: Scene, speaker: Speaker) -> None:
    """Changes made while a cable is out for less than the hold time reach the router after it."""
    scene.lab.node("r").link_down("eth1")
    scene.announce(speaker, P2)
    poll(lambda: set(scene.s.rib()) == {P2})
    scene.announce(speaker, P3)
    scene.lab.node("r").link_up("eth1")
    scene.both_hold(P3)
    scene.other_untouched()


def test_exabgp_frozen_for_ten_seconds(scene: Scene, speaker: Speaker) -> None:
    """ExaBGP stopped for 10 s amid changes goes on where it was, and ends with what is wanted."""
    pid = scene.side.exabgp_pid()
    freeze(pid)
    try:
        scene.announce(speaker, P2)
        scene.announce(speaker, P1, P3)
        steady(lambda: set(scene.r.rib()) == {P1}, 10)
    finally:
        thaw(pid)
    scene.both_hold(P1, P3)
    speaker.wait_flushed()
    scene.other_untouched()
    assert scene.side.exabgp_pid() == pid


def test_exabgp_killed(scene: Scene, speaker: Speaker) -> None:
    """ExaBGP killed with -9 is started again on what was rendered, and all routes come back."""
    kill(scene.side.exabgp_pid())
    poll(lambda: not scene.r.rib(), what="the routes to go with the session")
    scene.both_hold(P1)
    speaker.wait_flushed()
    scene.announce(speaker, P2)
    scene.both_hold(P2)


def test_role_killed_takes_exabgp_with_it(scene: Scene, speaker: Speaker) -> None:
    """The exabgp role killed with -9 leaves no ExaBGP behind; a new one brings everything back."""
    assert scene.side.role is not None
    kill(scene.side.role.pid)
    scene.side.role.wait(10)
    poll(lambda: not scene.side.accepts(), what="the relay to be gone")
    poll(lambda: speaker.state().status is SessionStatus.UNKNOWN)
    scene.side.start()
    scene.both_hold(P1)
    speaker.wait_flushed()


def test_second_role_is_refused(scene: Scene, speaker: Speaker) -> None:
    """A second exabgp role in the same directory ends with status 3 and harms nothing."""
    argv = ["orchestrator", "exabgp", "--runtime-dir", str(scene.side.settings.runtime_dir)]
    done = scene.lab.node("a").run(argv, timeout_s=30, check=False)
    assert done.returncode == 3
    assert "another exabgp is running" in done.stderr
    scene.announce(speaker, P2)
    scene.both_hold(P2)
    scene.other_untouched()


def test_reload_storm(scene: Scene, speaker: Speaker) -> None:
    """Fifty changes of one peer, and peers coming and going, leave the other session untouched."""
    routes = rib(route(P2))
    for number in range(50):
        changed = peer("r", "10.0.0.1", hold_time_s=30 + number)
        others = {peer(f"x{n}", f"10.0.0.{100 + n}"): routes for n in range(number % 5)}
        speaker.want({changed: routes, S: routes, **others})
    speaker.wait_flushed("r", "s")
    scene.both_hold(P2)
    scene.other_untouched()

    def hold_ms() -> int:
        return int(scene.r.json("show bgp neighbors")["10.0.0.2"]["bgpTimerHoldTimeMsecs"])

    poll(lambda: hold_ms() == 79_000, what="the last hold time, once that session is up again")
    assert set(speaker.ask(lambda link: link.sessions())) == {"r", "s", "x0", "x1", "x2", "x3"}


def test_dead_peer_does_not_keep_a_reload_from_happening(scene: Scene, speaker: Speaker) -> None:
    """With a router cut off amid a stream of routes, another's session is still changed within seconds."""
    speaker.want({R: hosts(5000), S: rib(route(P1))})
    scene.lab.node("r").link_down("eth1")
    changed = peer("s", "10.0.0.3", hold_time_s=45)
    speaker.want({R: hosts(5000, med=2), changed: rib(route(P2))})
    speaker.wait_flushed("s", timeout_s=20)
    poll(lambda: set(scene.s.rib()) == {P2})
    scene.lab.node("r").link_up("eth1")
    speaker.wait_flushed(timeout_s=60)
    # What is flushed is on its way: the router may still hold what is withdrawn.
    poll(lambda: len(scene.r.rib()) == 5000, 20, "5000 routes and no other")


def test_stop_withdraws_before_the_session_ends(scene: Scene) -> None:
    """TERM withdraws all routes, also from a peer that would keep them for graceful restart."""
    restarting = peer("r", "10.0.0.1", graceful_restart=True)
    scene.r.configure("router bgp 64500", "bgp graceful-restart", "end")
    with scene.side.speaker() as speaker:
        speaker.want({restarting: hosts(2000), S: hosts(2000)})
        speaker.wait_flushed()
        assert scene.side.stop() == 0
        poll(lambda: not scene.r.rib() and not scene.s.rib(), 5)
    assert "not every route" not in scene.side.log()


def test_removed_peer_with_graceful_restart_keeps_nothing(scene: Scene) -> None:
    """A peer that is given up loses its routes, though it would keep them over a restart of ours."""
    restarting = peer("r", "10.0.0.1", graceful_restart=True)
    scene.r.configure("router bgp 64500", "bgp graceful-restart", "end")
    with scene.side.speaker() as speaker:
        speaker.want({restarting: hosts(20), S: hosts(20)})
        speaker.wait_flushed()
        speaker.want({S: hosts(20)})
        poll(lambda: not scene.r.rib(), 10)
    scene.other_untouched()


def test_orphan_hold_withdraws_and_says_so(workdir: Path) -> None:
    """Two seconds without a speaker, as told, withdraw everything; a speaker that comes back restores it."""
    with joined(workdir, "r", "a", "s") as lab:
        scene = Scene(lab, workdir, "--orphan-hold", "2")
        with scene.side.speaker() as speaker:
            scene.announce(speaker, P1)
            scene.both_hold(P1)
        steady(lambda: set(scene.r.rib()) == {P1}, 1)
        scene.both_hold()
        assert "withdrawing every route" in scene.side.log()
        with scene.side.speaker() as speaker:
            scene.announce(speaker, P1)
            scene.both_hold(P1)
            scene.other_untouched()


def test_relay_killed_amid_a_stream(scene: Scene, speaker: Speaker) -> None:
    """The relay killed with -9 while 10,000 routes stream through it: all of them arrive, and nothing else."""
    speaker.want({R: hosts(10_000), S: rib(route(P1))})
    poll(lambda: speaker.state().flushed > 500)
    kill(scene.side.relay_pid())
    speaker.want({R: hosts(9_000), S: rib(route(P2))})
    speaker.wait_flushed()
    poll(lambda: len(scene.r.rib()) == 9_000)
    poll(lambda: set(scene.s.rib()) == {P2})


def test_speaker_killed_amid_a_stream(scene: Scene) -> None:
    """A speaker cut off while it streams: its successor, which wants other routes, gets exactly those."""
    with scene.side.speaker() as first:
        first.want({R: hosts(10_000), S: rib(route(P1))})
        poll(lambda: first.state().flushed > 500)
    with scene.side.speaker() as second:
        second.want({R: hosts(3_000, med=7), S: rib(route(P1))})
        second.wait_flushed()
        poll(lambda: len(scene.r.rib()) == 3_000)
        assert {paths[0]["med"] for paths in scene.r.rib().values()} == {7}
    scene.other_untouched()
    assert scene.r.json("show bgp neighbors")["10.0.0.2"]["connectionsEstablished"] == 1
