"""Rules of DESIGN 5 that are no numbered trap: passwords, the clock, next hops, and session options."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.bgp.render import Surroundings, render
from orchestrator.model.plan import Session
from orchestrator.model.session_state import SessionStatus
from tests.lab.exabgp_side import Side, peer, rib, route
from tests.lab.harness import Frr, Lab, Neighbor, poll, require, steady

pytestmark = pytest.mark.lab

P1, P2 = "192.0.2.1/32", "192.0.2.2/32"
V6 = "2001:db8::1/128"
ROUTER_ID = ipaddress.ip_address("10.0.0.2")
RIGHT, WRONG, ODD = "right", "wrong", "x\n}"
LIBFAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
ASCII = "".join(chr(code) for code in range(0x21, 0x7F))


@pytest.fixture
def side(pair: Lab, workdir: Path) -> Side:
    """The exabgp role in node `a`."""
    return Side(pair.node("a"), workdir).start()


@pytest.mark.parametrize("password", [ASCII[:60], ASCII[60:], "two words", "p\u00e4ssw\u00f6rd"])
def test_rule_13_any_password_works(pair: Lab, side: Side, workdir: Path, password: str) -> None:
    """A password of any characters sets up a session with a router that was given the same bytes."""
    receiver = peer("a", "10.0.0.2", password=password)
    around = Surroundings(ipaddress.ip_address("10.0.0.1"))
    text = render([Session("r", receiver)], around).text
    text = text.replace("local-address 10.0.0.2", "local-address 10.0.0.1")
    text = text.replace("connect 179;", "passive true;\n  listen 179;")
    configuration = workdir / "receiver.conf"
    configuration.write_text(text.replace("python3 -m orchestrator.adapters.relay", "/bin/cat"))
    environment = {"exabgp_daemon_user": "root", "exabgp_api_cli": "false"}
    pair.node("r").spawn(["exabgp", "server", str(configuration)], env=environment)
    with side.speaker() as speaker:
        speaker.want({peer(password=password): rib(route(P1))})
        speaker.wait_flushed()
    assert password not in side.log()


def test_rule_13_a_wrong_password_is_no_session(pair: Lab, side: Side) -> None:
    """With another password than the router's, no session comes up; with the right one it does."""
    frr = Frr(pair.node("r"), neighbors=[Neighbor("10.0.0.2", 64500, password=RIGHT)]).start()
    with side.speaker() as speaker:
        speaker.want({peer(password=WRONG): rib(route(P1))})
        steady(lambda: speaker.state().status is SessionStatus.DOWN, 2)
        speaker.want({peer(password=RIGHT): rib(route(P1))})
        poll(lambda: set(frr.rib()) == {P1})


def test_rule_13_a_password_cannot_start_a_program(side: Side, workdir: Path) -> None:
    """A password made to close its quotes and add a process starts nothing, and stays one neighbor's."""
    proof = workdir / "proof"
    evil = (
        f'x"; }} process evil {{ run /usr/bin/touch {proof}; encoder text; }} neighbor 10.9.9.9 {{'
    )
    with side.speaker() as speaker:
        speaker.want({peer(password=evil): {}, peer("s", "10.0.0.3", password=ODD): {}})
        poll(lambda: speaker.ask(lambda link: link.reachable))
        steady(lambda: not proof.exists(), 2)
        problems = speaker.ask(lambda link: link.problems)
    assert [problem.object for problem in problems] == ["BGPPeer r"]
    assert "evil" not in side.settings.exabgp_configuration.read_text("utf-8")


def test_rule_15_a_stepped_clock_drops_no_session(pair: Lab, workdir: Path) -> None:
    """The wall clock set an hour forward, then two back, leaves a session with a hold time of 6 s up."""
    require("faketime")
    clock = workdir / "clock"
    clock.write_text("+0")
    environment = {
        "LD_PRELOAD": str(LIBFAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    side = Side(pair.node("a"), workdir).start(environment)
    near = Neighbor("10.0.0.2", 64500, timers_s=(2, 6))
    frr = Frr(pair.node("r"), neighbors=[near]).start()
    with side.speaker() as speaker:
        speaker.want({peer(hold_time_s=6): rib(route(P1))})
        speaker.wait_flushed()
        for offset in ("+3600", "-3600"):
            clock.write_text(offset)
            steady(lambda: P1 in frr.rib(), 8, "the route to stay")
        speaker.want({peer(hold_time_s=6): rib(route(P2))})
        speaker.wait_flushed()
    assert set(frr.rib()) == {P2}
    assert frr.json("show bgp neighbors")["10.0.0.2"]["connectionsEstablished"] == 1


@pytest.mark.parametrize("session", ["ipv4", "ipv6"])
def test_rule_16_next_hops_of_both_families(pair: Lab, side: Side, session: str) -> None:
    """Both families over either session have the next hop of their own family; none is sent without one."""
    far, near = ("10.0.0.1", "10.0.0.2") if session == "ipv4" else ("fd00::1", "fd00::2")
    neighbor = Neighbor(near, 64500, ("ipv4", "ipv6"))
    frr = Frr(pair.node("r"), neighbors=[neighbor]).start()
    other = V6 if session == "ipv4" else P1
    routes = rib(route(P1, next_hop="10.0.0.2"), route(V6, next_hop="fd00::2"))
    with side.speaker() as speaker:
        speaker.want({peer("r", far, dual_stack=True): routes})
        speaker.wait_flushed()
        assert frr.rib()[P1][0]["nexthop"] == "10.0.0.2"
        assert frr.rib("ipv6")[V6][0]["nexthop"] == "fd00::2"
        speaker.want({peer("r", far, dual_stack=True): rib(route(P2), route(other))})
        poll(lambda: speaker.ask(lambda link: link.problems))
        poll(lambda: not frr.rib("ipv6") if session == "ipv4" else not frr.rib())


@pytest.mark.parametrize(
    ("fields", "neighbor"),
    [
        ({"ttl_security": True}, {"ttl_security_hops": 1}),
        ({"ebgp_multihop": True}, {"multihop": 5}),
        ({"passive": True}, {}),
        ({"password": "secret", "passive": True}, {"password": "secret"}),
        ({"graceful_restart": True, "hold_time_s": 30}, {}),
        ({"local_asn": 64777}, {"asn": 64777}),
    ],
)
def test_sessions_with_every_option_come_up(
    pair: Lab, side: Side, fields: dict[str, Any], neighbor: dict[str, Any]
) -> None:
    """An eBGP session with each option of a BGPPeer comes up and carries a route with prepends."""
    near = {"address": "10.0.0.2", "asn": 64500, **neighbor}
    frr = Frr(pair.node("r"), asn=64501, neighbors=[Neighbor(**near)]).start()
    own = int(str(fields.get("local_asn", 64500)))
    with side.speaker() as speaker:
        speaker.want({peer(asn=64501, **fields): rib(route(P1, as_path=(own, own)), route(P2))})
        speaker.wait_flushed()
        assert poll(frr.rib)[P1][0]["as_path"] == [own, own]
        assert frr.rib()[P2][0]["as_path"] == [own]
