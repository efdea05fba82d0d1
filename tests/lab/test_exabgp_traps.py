"""Each trap of ExaBGP that decides the design: our side over real ExaBGP gets it right on FRR.

The numbers are those of the reference on ExaBGP 5.0.15 that DESIGN 5 was made from.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from orchestrator.model.session_state import RouteStatus, SessionStatus
from tests.lab.exabgp_side import (
    Side,
    community,
    freeze,
    hosts,
    kill,
    peer,
    rib,
    route,
    thaw,
)
from tests.lab.harness import Frr, Lab, Neighbor, frr_config, joined, poll, steady

pytestmark = pytest.mark.lab

R = peer()
P1, P2, P3, P9 = (f"192.0.2.{number}/32" for number in (1, 2, 3, 9))


@pytest.fixture
def side(pair: Lab, workdir: Path) -> Side:
    """The exabgp role in node `a`."""
    return Side(pair.node("a"), workdir).start()


@pytest.fixture
def frr(pair: Lab) -> Frr:
    """FRR in node `r`, AS 64500, that has node `a` as its iBGP neighbor."""
    return Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()


def meds(frr: Frr) -> dict[str, int | None]:
    """Prefix -> MED of what FRR holds."""
    return {prefix: paths[0]["med"] for prefix, paths in frr.rib().items()}


def up_since(frr: Frr, address: str = "10.0.0.2") -> int:
    """How many times the session to `address` was established."""
    return int(frr.json("show bgp neighbors")[address]["connectionsEstablished"])


def _has(frr: Frr, wanted: dict[str, int]) -> bool:
    return meds(frr) == wanted


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ([{P1: 1}, {P1: 2}, {P1: 1}], {P1: 1}),
        ([{P1: 1}, {}, {P1: 1}], {P1: 1}),
        ([{}, {P1: 1}, {}], {}),
        ([{P1: 1}, {P1: 1, P2: 2}, {P1: 1, P2: 1}], {P1: 1, P2: 1}),
        ([{}, {P3: 3}, {}], {}),
    ],
)
def test_trap_01_changes_in_one_burst_end_in_order(
    side: Side, frr: Frr, steps: list[dict[str, int]], ends: dict[str, int]
) -> None:
    """However a prefix is changed back and forth in one burst, the router ends with the last value."""
    held = {P9: 9}
    with side.speaker() as speaker:
        speaker.want({R: rib(*(route(p, med=m) for p, m in held.items()))})
        speaker.wait_flushed()
        for _ in range(3):
            speaker.want_each({R: rib(*(route(p, med=m) for p, m in s.items()))} for s in steps)
            speaker.wait_flushed()
            poll(partial(_has, frr, ends), what=f"{ends} in FRR")


def test_trap_02_what_is_withdrawn_while_down_does_not_come_up(side: Side, frr: Frr) -> None:
    """A route wanted and given up while the session is down is never seen by the router."""
    with side.speaker() as speaker:
        speaker.want({R: rib(route(P1))})
        speaker.wait_flushed()
        frr.stop()
        poll(lambda: speaker.state().status is SessionStatus.DOWN)
        speaker.want_each([{R: rib(route(P1), route(P2))}, {R: rib(route(P3))}])
        frr.start()
        speaker.wait_flushed()
        poll(lambda: set(frr.rib()) == {P3})
        steady(lambda: set(frr.rib()) == {P3}, 1)


def test_trap_03_done_is_not_taken_for_sent(side: Side, pair: Lab) -> None:
    """Routes of a family that the peer does not take, or of a session that is down, never count as sent."""
    dual = peer(dual_stack=True)
    routes = rib(route(P1), route("2001:db8::1/128", next_hop="fd00::2"))
    with side.speaker() as speaker:
        speaker.want({dual: routes})
        assert {speaker.route_status("r", prefix) for prefix in routes} == {RouteStatus.DESIRED}
        Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
        poll(lambda: speaker.state().flushed == 1)
        v6 = next(prefix for prefix in routes if prefix.version == 6)
        assert speaker.route_status("r", v6) is RouteStatus.DESIRED
        problems = speaker.ask(lambda link: link.problems)
        assert [p.code for p in problems] == ["routeNotSent"]


def test_trap_04_changes_during_a_replay_end_in_order(side: Side, frr: Frr) -> None:
    """A prefix changed back and forth while 10,000 routes are being replayed ends with its last value."""
    many = hosts(10_000)
    with side.speaker() as speaker:
        speaker.want({R: {**many, **rib(route(P1, med=1))}})
        speaker.wait_flushed()
        frr.vtysh("clear bgp 10.0.0.2")
        speaker.wait_up()
        for med in (2, 1, 2, 1, 2, 3):
            speaker.want({R: {**many, **rib(route(P1, med=med))}})
            time.sleep(0.01)  # not for luck: the changes are to fall into the replay
        speaker.wait_flushed()
        poll(lambda: frr.rib()[P1][0]["med"] == 3)
        poll(lambda: len(frr.rib()) == len(many) + 1)


def test_trap_05_graceful_shutdown_does_not_shut_down(side: Side, frr: Frr) -> None:
    """Well-known communities reach the router, and ExaBGP lives."""
    before = side.exabgp_pid()
    marks = tuple(sorted(community(text) for text in ("65535:0", "65535:666", "65535:65281")))
    with side.speaker() as speaker:
        speaker.want({R: rib(route(P1, communities=marks, local_pref=0))})
        speaker.wait_flushed()
        path = poll(lambda: frr.rib().get(P1, []))[0]
    assert set(path["communities"]) == {"65535:0", "65535:666", "65535:65281"}
    assert path["local_pref"] == 0
    assert side.exabgp_pid() == before


def test_trap_06_a_client_that_does_not_read_freezes_nothing(side: Side, frr: Frr) -> None:
    """A client that sends and never reads loses its own connection at most; sessions and routes stay."""
    with side.speaker() as speaker:
        speaker.want({R: hosts(500)})
        speaker.wait_flushed()
    asks = ["show adj-rib out json"] * 200
    with side.client(*asks):
        steady(lambda: len(frr.rib()) == 500, 2)
    with side.speaker() as speaker:
        speaker.want({R: {**hosts(500), **rib(route(P1))}})
        speaker.wait_flushed()
    assert P1 in frr.rib()
    assert up_since(frr) == 1


def test_trap_07_a_reload_while_streaming_is_not_lost(workdir: Path) -> None:
    """A peer added while 10,000 routes stream to another comes up; the other session is not touched."""
    with joined(workdir, "r", "a", "s") as lab:
        routers = {
            name: Frr(lab.node(name), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
            for name in ("r", "s")
        }
        side = Side(lab.node("a"), workdir).start()
        other = peer("s", "10.0.0.3")
        with side.speaker() as speaker:
            speaker.want({R: rib(route(P1))})
            speaker.wait_flushed()
            speaker.want({R: hosts(10_000)})
            speaker.want({R: hosts(10_000), other: rib(route(P2))})
            speaker.wait_flushed("s", timeout_s=10)
            speaker.wait_flushed()
        assert set(routers["s"].rib()) == {P2}
        assert len(poll(routers["r"].rib)) == 10_000
        assert up_since(routers["r"]) == 1


def test_trap_07_a_stalled_peer_does_not_block_a_reload(workdir: Path) -> None:
    """With one router frozen amid a stream of routes, another peer is still added within seconds."""
    with joined(workdir, "r", "a", "s") as lab:
        stalled = Frr(lab.node("r"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
        good = Frr(lab.node("s"), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
        side = Side(lab.node("a"), workdir).start()
        with side.speaker() as speaker:
            speaker.want({R: rib(route(P1))})
            speaker.wait_flushed()
            freeze(stalled.processes["bgpd"].pid)
            speaker.want({R: hosts(20_000, med=1)})
            speaker.want({R: hosts(20_000, med=1), peer("s", "10.0.0.3"): rib(route(P2))})
            speaker.wait_flushed("s", timeout_s=20)
            thaw(stalled.processes["bgpd"].pid)
            speaker.wait_flushed()
        poll(lambda: len(stalled.rib()) == 20_000)
        assert set(good.rib()) == {P2}


def test_trap_08_deaths_of_the_relay_are_survived(side: Side, frr: Frr) -> None:
    """The relay killed three times costs no route and no session; killed until ExaBGP ends, it all comes back."""
    with side.speaker() as speaker:
        speaker.want({R: rib(route(P1))})
        speaker.wait_flushed()
        for number in range(3):
            kill(side.relay_pid())
            speaker.want({R: rib(route(P1, med=number))})
            poll(partial(_has, frr, {P1: number}))
        assert up_since(frr) == 1
        first = side.exabgp_pid()
        poll(partial(_ended, side, first), what="ExaBGP to give up and be started again")
        speaker.wait_flushed()
        poll(lambda: meds(frr) == {P1: 2})


def test_trap_09_a_new_speaker_finds_sessions_and_routes(side: Side, frr: Frr) -> None:
    """A new speaker learns of sessions that are up without an event, sends nothing twice, mends what differs."""
    with side.speaker() as speaker:
        speaker.want({R: rib(route(P1, med=1), route(P2, med=2), route(P3, med=3))})
        speaker.wait_flushed()
    poll(lambda: len(frr.rib()) == 3)
    before = frr.json("show bgp neighbors")["10.0.0.2"]["messageStats"]["updatesRecv"]
    with side.speaker() as speaker:
        speaker.want({R: rib(route(P1, med=1), route(P2, med=7))})
        speaker.wait_flushed()
        poll(lambda: meds(frr) == {P1: 1, P2: 7})
    after = frr.json("show bgp neighbors")["10.0.0.2"]["messageStats"]["updatesRecv"]
    assert after - before == 2
    assert up_since(frr) == 1


def _ended(side: Side, first: int) -> bool:
    """Kill the relay of the first ExaBGP once more, until there is another ExaBGP."""
    if side.exabgp_pid() != first:
        return True
    kill(side.relay_pid())
    poll(side.accepts)
    return False


@pytest.fixture
def graceful(pair: Lab) -> Frr:
    """FRR in node `r` that keeps a restarting neighbor's routes."""
    neighbors = [Neighbor("10.0.0.2", 64500)]
    config = frr_config(64500, "192.0.2.254", neighbors, graceful_restart_s=60)
    return Frr(pair.node("r"), config).start()


def test_trap_10_end_of_rib_only_after_the_full_set(side: Side, graceful: Frr) -> None:
    """With graceful restart, ExaBGP killed and a speaker that is 2 s late lose no route for a moment."""
    held = hosts(5)
    restarting = peer(graceful_restart=True)
    with side.speaker() as speaker:
        speaker.want({restarting: held})
        speaker.wait_flushed()
        poll(lambda: len(graceful.rib()) == 5)
    kill(side.exabgp_pid())
    poll(lambda: up_since(graceful) == 2)
    steady(lambda: len(graceful.rib()) == 5, 2)
    kept = dict(list(held.items())[:4])
    with side.speaker() as speaker:
        speaker.want({restarting: kept})
        speaker.wait_flushed()
        poll(lambda: len(graceful.rib()) == 4, what="the route given up to go with End-of-RIB")


def test_trap_11_every_peer_has_its_own_routes(workdir: Path) -> None:
    """Peers never share a RIB, and a peer that cannot be had is left out with a reason."""
    with joined(workdir, "r", "a", "s") as lab:
        routers = {
            name: Frr(lab.node(name), neighbors=[Neighbor("10.0.0.2", 64500)]).start()
            for name in ("r", "s")
        }
        side = Side(lab.node("a"), workdir).start()
        wanted = {R: rib(route(P1), route(P2)), peer("s", "10.0.0.3"): rib(route(P2), route(P3))}
        nobody = peer("d", "224.0.0.4")
        with side.speaker() as speaker:
            speaker.want({**wanted, nobody: rib(route(P9))})
            speaker.wait_flushed("r", "s")
            poll(lambda: set(routers["r"].rib()) == {P1, P2})
            poll(lambda: set(routers["s"].rib()) == {P2, P3})
            assert "badAddress" in {p.code for p in speaker.ask(lambda k: k.problems)}
            assert speaker.state("d").last_error
