"""Speaker and layer2 role understand each other: everything said arrives as it was meant."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from orchestrator.adapters.layer2_link import Layer2Wish, updates
from orchestrator.adapters.layer2_routers import router_document, router_of
from orchestrator.adapters.layer2_wire import PIECE, Overview, line
from orchestrator.model.address import IPAddress
from orchestrator.model.layer2_desired import Desired, Wish
from orchestrator.model.layer2_report import Lateness, OwnerReport
from orchestrator.model.settings import Membership, Settings, Transport
from orchestrator.model.virtual_router import (
    ChecksumForm,
    CommandTrack,
    FileTrack,
    HealthTrack,
    InterfaceTrack,
    VirtualRouter,
)
from orchestrator.roles.layer2.news import Newspaper
from orchestrator.roles.layer2.told import STALE_S, Told, VersionError

ADDRESS = ipaddress.ip_address("192.0.2.1")
SIX = ipaddress.ip_address("2001:db8::1")


def wish(number: int, *, wanted: bool = True) -> Wish:
    """Make a wish for one of many addresses."""
    address = ipaddress.ip_address("10.0.0.0") + number
    return Wish(address, ADDRESS, wanted, number % 3, frozenset({"eth0"}), ("n2", "n1"))


def layer2_wish(*wishes: Wish) -> Layer2Wish:
    """Make all that a speaker asks for."""
    desired = Desired(
        "n1",
        7,
        0.05,
        3.0,
        (b"new\x00", b"old"),
        Transport.UNICAST,
        {"n2": (ADDRESS, SIX)},
        (SIX,),
        {},
        complete=True,
        fresh=True,
        wishes=wishes,
        named_interfaces=frozenset({"eth0"}),
        internal_addresses=frozenset({ADDRESS}),
    )
    settings = Settings(Membership(7, 50, 3000), ("^veth",))
    return Layer2Wish(desired, settings, (router(),), {"web": True, "dns": None})


def router() -> VirtualRouter:
    """Make a virtual router with everything."""
    return VirtualRouter(
        name="edge",
        interface="eth0",
        vrid=9,
        version=2,
        addresses=(ipaddress.ip_interface("192.0.2.9/24"),),
        excluded_addresses=(ipaddress.ip_interface("2001:db8::9/64"),),
        password="geheim",
        checksum=ChecksumForm.RFC9568,
        unicast_peers=(ADDRESS,),
        bind=None,
        track=(
            InterfaceTrack("eth1", 5),
            FileTrack("/run/x", -1),
            CommandTrack(("/bin/works", "now"), 500),
            HealthTrack("web"),
        ),
        sync_group="g",
        notify=("/bin/tell", "me"),
    )


def tell(told: Told, before: Layer2Wish | None, after: Layer2Wish) -> list[bool]:
    """Send what changed; return after which lines the word was complete."""
    return [told.take(line(update), 1.0) for update in updates(before, after)]


def test_a_virtual_router_arrives() -> None:
    """Every field of a virtual router comes back as it was."""
    assert router_of(router_document(router())) == router()


def test_all_that_is_wanted_arrives() -> None:
    """Wishes, surroundings and virtual routers come back as they were."""
    told, meant = Told(), layer2_wish(wish(1), Wish(SIX, SIX, wanted=False))
    assert tell(told, None, meant)[-1]
    assert told.desired({}, 1.0) == meant.desired
    assert told.routers == meant.routers
    assert told.excluded_interfaces == ("^veth",)
    assert told.health == {"web": True, "dns": None}


def test_only_changes_are_sent() -> None:
    """After the first time lines carry only what is new, what changed and what is gone."""
    before = layer2_wish(wish(1), wish(2), wish(3))
    changed = wish(2, wanted=False)
    after = layer2_wish(wish(1), changed, wish(4))
    sent = list(updates(before, after))
    assert [one.address for update in sent for one in update.wishes] == ["10.0.0.2", "10.0.0.4"]
    assert [name for update in sent for name in update.gone] == ["10.0.0.3"]
    assert all(update.routers is None for update in sent)
    told = Told()
    tell(told, None, before)
    tell(told, before, after)
    desired = told.desired({}, 1.0)
    assert desired is not None
    assert set(desired.wishes) == set(after.desired.wishes)


def test_many_addresses_come_in_pieces() -> None:
    """No line carries more than so many addresses; nothing is in force before the last."""
    many = layer2_wish(*(wish(number) for number in range(2 * PIECE + 1)))
    sent = list(updates(None, many))
    assert max(len(update.wishes) for update in sent) == PIECE
    told = Told()
    for update in sent[:-1]:
        assert not told.take(line(update), 1.0)
    desired = told.desired({}, 1.0)
    assert desired is not None
    assert desired.wishes == ()
    assert told.take(line(sent[-1]), 1.0)
    assert told.desired({}, 1.0) == many.desired


def test_a_new_speaker_begins_again() -> None:
    """What the one before left half said is dropped."""
    told, first = Told(), layer2_wish(wish(1))
    tell(told, None, first)
    half = list(updates(first, layer2_wish(wish(1), wish(2))))[:-1]
    for update in half:
        told.take(line(update), 1.0)
    told.left(2.0)
    assert told.desired({}, 2.0) == first.desired
    second = layer2_wish(wish(3))
    tell(told, None, second)
    assert told.desired({}, 2.0) == second.desired


def test_without_a_speaker_its_word_becomes_stale() -> None:
    """What was said stays in force, and after 30 s it says of itself that it is stale."""
    told, meant = Told(), layer2_wish(wish(1))
    tell(told, None, meant)
    assert told.desired({}, 1.0 + STALE_S) == meant.desired
    assert told.desired({}, 1.1 + STALE_S) == replace(meant.desired, fresh=False)


def test_another_version_is_refused() -> None:
    """A speaker of another version is not understood half."""
    with pytest.raises(VersionError, match="version 2"):
        Told().take(b'{"version": 2, "wishes": 5}', 1.0)


@pytest.mark.parametrize(
    "text", [b"", b"5", b"{", b'{"version":1,"gone":["x"]}', b'{"version":1,"routers":[{}]}']
)
def test_garbage_is_refused(text: bytes) -> None:
    """What is no word raises one of the errors that end the conversation."""
    with pytest.raises((ValueError, TypeError, LookupError)):
        Told().take(text, 1.0)


def overview() -> Overview:
    """Make an overview without anything in it."""
    return Overview((), (), {}, 0, 0, Lateness(), ())


def news(paper: Newspaper, owners: dict[str, str], *moved: str) -> dict[str, str]:
    """Return what the reader is told of owners: all of them in truth, these known to have moved."""
    truth = {place(text): OwnerReport("eth0", name, 1.0, True) for text, name in owners.items()}
    told = {}
    for one in paper.edition(dict.fromkeys(truth), map(place, moved), truth.get, overview):
        told.update({item.address: item.owner.owner or "" for item in one.owners})
        told.update({address: "gone" for _, address in one.gone})
    return told


def place(text: str) -> tuple[str, IPAddress]:
    """An address on eth0."""
    return "eth0", ipaddress.ip_address(text)


def test_the_reader_is_told_what_changed() -> None:
    """At first everything, then what moved and what is gone; a new reader gets everything again."""
    paper = Newspaper()
    first = {"10.0.0.1": "n1", "10.0.0.2": "n1"}
    assert news(paper, first) == first
    assert news(paper, first, "10.0.0.1") == {}
    second = {"10.0.0.1": "n2"}
    assert news(paper, second, "10.0.0.1", "10.0.0.2") == {"10.0.0.1": "n2", "10.0.0.2": "gone"}
    paper.new_reader()
    assert news(paper, second) == second


def test_in_turn_every_place_is_looked_at() -> None:
    """What changes without having moved, such as a counter, is told within a few editions."""
    paper = Newspaper()
    owners = {str(ipaddress.ip_address("10.0.0.0") + n): "n1" for n in range(2 * PIECE)}
    news(paper, owners)
    changed = dict.fromkeys(owners, "n2")
    told: dict[str, str] = {}
    for _ in range(5):
        told |= news(paper, changed)
    assert told == changed


def test_a_place_that_vanished_is_told_too() -> None:
    """An address whose interface is gone is told of as gone, though nobody said that it moved."""
    paper = Newspaper()
    news(paper, {"10.0.0.1": "n1", "10.0.0.2": "n1"})
    told: dict[str, str] = {}
    for _ in range(3):
        told |= news(paper, {"10.0.0.1": "n1"})
    assert told == {"10.0.0.2": "gone"}
