"""What tracked things do to a priority, by keepalived's rules."""

from __future__ import annotations

import pytest

from orchestrator.layer2.routers.tracking import Facts, Standing, standing
from orchestrator.model.virtual_router import (
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    Track,
)
from tests.unit.layer2.routers.virtual_router_playbook import router

COMMAND = ("/usr/bin/works", "-q")
FACTS = Facts(
    interfaces={"up0": True, "down0": False},
    files={"/ten": 10, "/zero": 0, "/minus": -300, "/text": None},
    commands={COMMAND: True, ("/usr/bin/fails",): False, ("/usr/bin/runs",): None},
    health={"web": True, "old": False},
)


def worth(*tracks: Track, priority: int = 100) -> Standing:
    """The standing of a router with these tracks."""
    return standing(router(priority=priority, track=tracks), FACTS)


@pytest.mark.parametrize(
    ("track", "priority"),
    [
        (InterfaceTrack("up0", 20), 120),
        (InterfaceTrack("up0", -20), 100),
        (InterfaceTrack("down0", 20), 100),
        (InterfaceTrack("down0", -20), 80),
        (InterfaceTrack("gone0", -20), 80),
        (CommandTrack(COMMAND, weight=20), 120),
        (CommandTrack(COMMAND, weight=-20), 100),
        (CommandTrack(("/usr/bin/fails",), weight=-20), 80),
        (CommandTrack(("/usr/bin/runs",), weight=20), 100),
        (CommandTrack(("/usr/bin/runs",), weight=-20), 100),
        (HealthTrack("web", 20), 120),
        (HealthTrack("old", -20), 80),
        (HealthTrack("new", -20), 100),
        (FileTrack("/ten"), 110),
        (FileTrack("/ten", -3), 70),
        (FileTrack("/text"), 100),
        (FileTrack("/missing"), 100),
    ],
)
def test_a_weight_is_gained_or_lost(track: Track, priority: int) -> None:
    """A positive one while it is good, a negative one while it is not, none without a result."""
    assert worth(track) == Standing(priority)


def test_weights_add_up_within_1_and_254() -> None:
    """No weight makes an owner, or says 0."""
    assert worth(InterfaceTrack("up0", 200), HealthTrack("web", 200)).priority == 254
    assert worth(InterfaceTrack("down0", -200)).priority == 1


@pytest.mark.parametrize(
    ("track", "fault"),
    [
        (InterfaceTrack("down0"), "down0 is down"),
        (InterfaceTrack("gone0"), "gone0 is down"),
        (CommandTrack(("/usr/bin/fails",)), "/usr/bin/fails is down"),
        (HealthTrack("old"), "VirtualIP old is down"),
        (FileTrack("/minus"), "/minus is down"),
        (FileTrack("/ten", 0), "/ten is down"),
        (FileTrack("/ten", -26), "/ten is down"),
    ],
)
def test_without_a_weight_a_failure_is_a_fault(track: Track, fault: str) -> None:
    """So is a file's product of -254 or less, and any number but 0 in a file of weight 0."""
    assert worth(track).fault == fault
    assert worth(track, priority=255).fault == fault


@pytest.mark.parametrize(
    "track",
    [InterfaceTrack("up0"), CommandTrack(COMMAND), HealthTrack("web"), FileTrack("/zero", 0)],
)
def test_what_is_good_without_a_weight_changes_nothing(track: Track) -> None:
    """It is needed, not rewarded."""
    assert worth(track) == Standing(100)


@pytest.mark.parametrize(
    ("track", "name"),
    [(CommandTrack(("/usr/bin/runs",)), "/usr/bin/runs"), (HealthTrack("new"), "VirtualIP new")],
)
def test_what_has_no_result_yet_is_waited_for(track: Track, name: str) -> None:
    """It is neither good nor a fault, and is named."""
    assert worth(track) == Standing(100, None, name)


def test_the_owner_keeps_its_priority() -> None:
    """255 is what it is (RFC 9568 5.2.4)."""
    assert worth(InterfaceTrack("down0", -50), priority=255) == Standing(255)
