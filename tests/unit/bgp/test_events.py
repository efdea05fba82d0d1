"""Reading what ExaBGP writes; the samples are lines that ExaBGP 5.0.15 wrote."""

from __future__ import annotations

import ipaddress
import json

import pytest

from orchestrator.bgp import events
from orchestrator.bgp.wire import Change
from orchestrator.model.address import Family
from orchestrator.model.community import Community, LargeCommunity
from orchestrator.model.route import PathAttributes

PEER, LOCAL = ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("127.0.0.72")
HEAD = '{ "exabgp": "5.0.0", "time": 1795544494.33, "host" : "h", "pid" : 5, "ppid" : 1, "counter": 1, '
WHO = (
    '"neighbor": { "address": { "local": "127.0.0.72", "peer": "127.0.0.1" }, '
    '"asn": { "local": 64500, "peer": 64501 }, "router-id": "127.0.0.72" , '
)
UPDATE = HEAD + '"type": "update", ' + WHO + '"direction": "send", "message": %s } }'
ATTRIBUTES = (
    '"attribute": { "origin": "igp", "as-path": {"0": {"element": "as-sequence", "value": [64500, 64500]}}, '
    '"med": 5, "community": [ [ 64500, 1 ], [ 65535, 0 ] ], "large-community": [ [ 1, 2 , 3 ] ] }'
)
READ = PathAttributes(
    next_hop=LOCAL,
    med=5,
    communities=(Community(64500, 1), Community(65535, 0)),
    large_communities=(LargeCommunity(1, 2, 3),),
    as_path=(64500, 64500),
)


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Short for `ip_network`."""
    return ipaddress.ip_network(text)


@pytest.mark.parametrize(("line", "ok"), [("done", True), ("error", False), ("done\r", True)])
def test_answers(line: str, ok: bool) -> None:
    """The end of an answer is `done` or `error`."""
    assert events.parse(line) == events.Answer(ok)


def test_session_up_and_down() -> None:
    """State events tell the peer, our end, and why a session ended."""
    up = events.parse(HEAD + '"type": "state", ' + WHO + '"state": "up" } }')
    assert up == events.StateEvent(PEER, "up", LOCAL)
    down = events.parse(HEAD + '"type": "state", ' + WHO + '"state": "down", "reason": "x" } }')
    assert down == events.StateEvent(PEER, "down", LOCAL, "x")


def test_update_announced() -> None:
    """An UPDATE that goes out names each prefix with all its attributes."""
    nlri = '"announce": { "ipv4 unicast": { "127.0.0.72": [ { "nlri": "10.0.0.1/32" }, { "nlri": "10.0.0.2/32" } ] } }'
    found = events.parse(UPDATE % ('{ "update": { ' + ATTRIBUTES + ", " + nlri + " } }"))
    changes = (Change(network("10.0.0.1/32"), READ), Change(network("10.0.0.2/32"), READ))
    assert found == events.UpdateSent(PEER, changes)


def test_update_withdrawn() -> None:
    """A withdraw names prefixes of either family."""
    body = '{ "update": { "withdraw": { "ipv6 unicast": [ { "nlri": "2001:db8::1/128" } ] } } }'
    found = events.parse(UPDATE % body)
    assert found == events.UpdateSent(PEER, (Change(network("2001:db8::1/128"), None),))


def test_end_of_rib() -> None:
    """An End-of-RIB is told from an UPDATE with routes."""
    found = events.parse(UPDATE % '{ "eor": { "afi" : "ipv6", "safi" : "unicast" } }')
    assert found == events.UpdateSent(PEER, (), Family.IPV6)


def test_route_shown() -> None:
    """The answer to `show adj-rib out json` writes communities as texts, and leaves defaults out."""
    attributes = {
        "med": 5,
        "community": ["64500:1", "65535:0"],
        "large-community": ["1:2:3"],
        "as-path": {"0": {"element": "as-sequence", "value": [64500, 64500]}},
    }
    nlri = {"prefix": "10.0.0.1/32", "nexthop": "127.0.0.72", "family": {"afi": "ipv4"}}
    line = {"peer": {"address": "127.0.0.1"}, "route": {"nlri": nlri, "attributes": attributes}}
    found = events.parse(json.dumps(line))
    assert found == events.ShownRoute(PEER, Change(network("10.0.0.1/32"), READ))


def test_neighbors_shown() -> None:
    """A session counts as up by its FSM: ExaBGP's `state` is `down` in the first second."""
    one = {
        "state": "down",
        "fsm": "ESTABLISHED",
        "local": {"address": "127.0.0.72"},
        "peer": {"address": "127.0.0.1"},
        "families": ["ipv4 unicast"],
    }
    other = {**one, "fsm": "IDLE", "local": {"address": "None"}, "families": []}
    found = events.parse(json.dumps([one, other, {"nonsense": 1}]))
    assert found == events.Neighbors(
        (
            events.NeighborState(PEER, up=True, local=LOCAL, families=(Family.IPV4,)),
            events.NeighborState(PEER, up=False),
        )
    )


def test_configuration_lines() -> None:
    """`show neighbor configuration` is read for neighbors and their descriptions."""
    assert events.parse("neighbor 127.0.0.1 {") == events.ConfigurationLine(neighbor=PEER)
    assert events.parse('\tdescription "abc";') == events.ConfigurationLine(description="abc")


def test_shutdown() -> None:
    """ExaBGP's farewell is understood."""
    line = HEAD + '"type": "notification", "notification": "shutdown" }'
    assert events.parse(line) == events.ShuttingDown()


def test_notification() -> None:
    """A NOTIFICATION tells its direction and codes."""
    notice = (
        '"direction": "receive", "notification": { "code": 2, "subcode": 2, "message": "AS" } } }'
    )
    found = events.parse(HEAD + '"type": "notification", ' + WHO + notice)
    assert found == events.NotificationEvent(PEER, received=True, code=2, subcode=2, text="AS")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[[]]",
        '{"type": "update"}',
        '{"type": "state", "neighbor": null}',
        '{ "asn": { "local": 64500, "peer": None} }',
        "neighbor nowhere {",
        "[" * 100_000,
        '{"route": {}, "peer": {}}',
    ],
)
def test_odd_lines_change_nothing(line: str) -> None:
    """A line that is not understood is `Other` or an empty list, never an exception."""
    found = events.parse(line)
    assert found == events.Neighbors(()) or isinstance(found, events.Other)
