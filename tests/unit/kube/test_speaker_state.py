"""SpeakerState says how a node's sessions are, and is written when that changes."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from orchestrator.config.kinds import status_kinds
from orchestrator.config.schema import ListOf, Record
from orchestrator.kube.speaker_state import (
    MAX_TROUBLES,
    MAX_UNFLUSHED,
    RENEWED,
    Member,
    Session,
    SpeakerReport,
    Unflushed,
    status_of,
    write,
)
from orchestrator.model.layer2_report import MemberReport, Trouble
from orchestrator.model.policy import Peer
from orchestrator.model.session_state import RouteStatus, SessionState, SessionStatus
from tests.unit.kube.server import applied

OURS = "metallb-system"
AT, LATER, LATEST = (f"2026-07-01T10:00:0{second}Z" for second in range(3))
PEER = Peer("r1", 64500, 64501, ip_address("192.0.2.1"), local_asn=64511)
UP = SessionState("r1", SessionStatus.UP, 1.0, None, 3, 2, 1)
DOWN = SessionState("r2", SessionStatus.DOWN, 1.0, "hold time expired", 4)
ALIVE = Member("eth0", MemberReport("m", "up", 1.0), AT)
SILENT = Member("eth0", MemberReport("a", "up", 1.0, alive=False), AT)
ROUTES = [
    Unflushed("r1", ip_network(f"192.0.2.{number}/32"), RouteStatus.SENT) for number in range(99)
]
TOLD = SpeakerReport(
    "n",
    "1.0",
    (Session(replace(PEER, name="r2"), DOWN, AT), Session(PEER, UP, AT, 2)),
    tuple(reversed(ROUTES)),
    7,
    (ALIVE, SILENT),
    (
        Trouble("isolated", "eth1", "alone"),
        Trouble("kernelAnswers", "eth0", "it does", ip_address("192.0.2.7"), "m"),
    ),
    "example.org/lb",
    True,
)


def test_the_whole_status() -> None:
    """Sessions with their routes, their sum, some routes by name, the segment's members."""
    status = status_of(TOLD)
    assert status["sessions"][0] == {
        "peer": "r1",
        "address": "192.0.2.1",
        "port": 179,
        "myASN": 64511,
        "peerASN": 64501,
        "state": "up",
        "since": AT,
        "routes": {"desired": 3, "sent": 2, "flushed": 1},
        "desiredIPv6": 2,
    }
    assert status["sessions"][1]["lastError"] == "hold time expired"
    assert status["routes"] == {"desired": 7, "sent": 2, "flushed": 1}
    assert (status["node"], status["version"], status["owned"]) == ("n", "1.0", 7)
    assert status["members"] == [
        {"interface": "eth0", "node": "a", "state": "up", "lastHeard": AT},
        {"interface": "eth0", "node": "m", "state": "up"},
    ]
    assert status["layer2"] == [
        {"interface": "eth1", "reason": "isolated", "message": "alone"},
        {
            "address": "192.0.2.7",
            "interface": "eth0",
            "reason": "kernelAnswers",
            "by": "m",
            "message": "it does",
        },
    ]
    assert (status["loadBalancerClass"], status["ignoreExcludeLabel"]) == ("example.org/lb", True)


def test_no_class_is_told_as_none() -> None:
    """A speaker without a class says nothing of one, but that it tells its flags."""
    status = status_of(SpeakerReport("n", "1.0"))
    assert "loadBalancerClass" not in status
    assert status["ignoreExcludeLabel"] is False


def test_few_troubles_are_told() -> None:
    """As many as the definition allows, the first ones."""
    assert MAX_TROUBLES == status_kinds.MAX_TROUBLES
    many = tuple(Trouble("isolated", f"eth{number}", "") for number in range(99))
    told = status_of(replace(TOLD, troubles=many))["layer2"]
    assert [one["interface"] for one in told] == [f"eth{number}" for number in range(MAX_TROUBLES)]


def test_what_is_shown_of_the_sessions() -> None:
    """How many are up of all, and each that is not with its error, else its state."""
    status = status_of(TOLD)
    assert (status["established"], status["lastError"]) == ("1/2", "r2: hold time expired")
    unknown = replace(
        TOLD, sessions=(Session(PEER, replace(UP, status=SessionStatus.UNKNOWN), AT),)
    )
    assert status_of(unknown)["lastError"] == "r1: unknown"
    well = status_of(replace(TOLD, sessions=(Session(PEER, UP, AT),)))
    assert (well["established"], "lastError" in well) == ("1/1", False)


def test_few_routes_are_named() -> None:
    """As many as the definition allows, in order of their address."""
    assert MAX_UNFLUSHED == status_kinds.MAX_UNFLUSHED
    named = [one["prefix"] for one in status_of(TOLD)["unflushed"]]
    assert named == [f"192.0.2.{number}/32" for number in range(MAX_UNFLUSHED)]


def test_every_field_is_of_the_definition() -> None:
    """The server drops what the definition does not have: there is nothing of that kind."""
    definition = next(one.status for one in status_kinds.STATUS_KINDS if one.name == "SpeakerState")
    assert _strange(definition, {**status_of(TOLD), RENEWED: AT}) == []


def _strange(wanted: Any, value: Any) -> list[str]:
    if isinstance(wanted, ListOf):
        return [name for item in value for name in _strange(wanted.item, item)]
    if not isinstance(wanted, Record):
        return []
    fields = {one.name: one.type for one in wanted.fields}
    strange = [name for name in value if name not in fields]
    known = [(fields[name], below) for name, below in value.items() if name in fields]
    return [*strange, *(name for pair in known for name in _strange(*pair))]


@pytest.mark.parametrize(
    "changed",
    [
        replace(TOLD, owned=8),
        replace(TOLD, sessions=()),
        replace(TOLD, unflushed=()),
        replace(TOLD, members=(ALIVE,)),
        replace(TOLD, troubles=()),
        replace(TOLD, lb_class=None),
        replace(TOLD, ignore_exclude_label=False),
        SpeakerReport("n", "1.1"),
    ],
)
def test_written_on_a_change(changed: SpeakerReport) -> None:
    """After one patch of the status the object says what is told now, and nothing is left to write."""
    there = applied(None, write(OURS, TOLD, None, AT))
    (patch,) = write(OURS, changed, there, LATER)
    there = applied(there, [patch])
    assert there["status"] == {**status_of(changed), RENEWED: LATER}
    assert write(OURS, changed, there, LATEST) == []


def test_what_is_the_same_is_not_written() -> None:
    """Neither another order nor a member that is heard again and again is a change."""
    there = applied(None, write(OURS, TOLD, None, AT))
    again = replace(TOLD, sessions=tuple(reversed(TOLD.sessions)), unflushed=tuple(ROUTES))
    heard = replace(again, members=(SILENT, replace(ALIVE, heard=LATER)))
    assert write(OURS, heard, there, LATER) == []


def test_renewed_with_nothing_else() -> None:
    """To say that it lives a speaker writes the time, and nothing but that."""
    there = applied(None, write(OURS, TOLD, None, AT))
    assert there["status"][RENEWED] == AT
    (patch,) = write(OURS, TOLD, there, LATER, renew=True)
    assert patch.body == {"status": {RENEWED: LATER}}


def test_the_first_time_of_an_object_of_an_older_version() -> None:
    """An object without the time gets it."""
    there = applied(None, write(OURS, TOLD, None, AT))
    del there["status"][RENEWED]
    (patch,) = write(OURS, TOLD, there, LATER)
    assert patch.body == {"status": {RENEWED: LATER}}
