"""The last withdraw before a planned stop, against the model of ExaBGP."""

from __future__ import annotations

import pytest

from orchestrator.bgp.farewell import Farewell
from tests.fakes.exabgp_pair import Pair, fake_peer, fake_rib

R, S = fake_peer("r", 1), fake_peer("s", 3)


@pytest.fixture
def pair() -> Pair:
    """Both peers are known; `r` is up and holds two routes."""
    pair = Pair()
    pair.connect()
    pair.want({R: fake_rib({1: 1, 2: 2}), S: fake_rib({1: 1})})
    pair.settle()
    pair.up(R)
    pair.settle()
    return pair


def part(pair: Pair, farewell: Farewell, turns: int = 50) -> None:
    """Let the farewell be said, with so many turns of ExaBGP at most."""
    for line in farewell.start():
        pair.fake.write(line)
    for _ in range(turns):
        pair.fake.turn()
        for line in farewell.receive(pair.fake.read()):
            pair.fake.write(line)


def test_every_route_is_withdrawn_and_seen_to_be(pair: Pair) -> None:
    """It is done once the withdraw of every route is on its way to each peer that is up."""
    farewell = Farewell()
    part(pair, farewell)
    assert farewell.done
    assert pair.held(R) == {}


def test_a_peer_that_is_down_is_not_waited_for(pair: Pair) -> None:
    """With no session up there is nothing to wait for."""
    pair.down(R)
    farewell = Farewell()
    part(pair, farewell)
    assert farewell.done


def test_a_peer_that_goes_down_meanwhile_is_not_waited_for(pair: Pair) -> None:
    """A session that ends while its routes are being withdrawn is no reason to wait."""
    pair.fake.peers["10.0.0.1"].stalled = True
    farewell = Farewell()
    part(pair, farewell)
    assert (farewell.done, farewell.left) == (False, 2)
    pair.down(R)
    farewell.receive(pair.fake.read())
    assert farewell.done


def test_changes_under_way_are_taken_back_too(pair: Pair) -> None:
    """Announces that ExaBGP had not sent yet do not outlive the farewell (trap 1)."""
    chosen = "neighbor 10.0.0.1 local-as 64500 peer-as 64500"
    pair.fake.peers["10.0.0.1"].stalled = True
    for med in (5, 6, 5):
        pair.fake.write(f"{chosen} announce route 192.0.2.7/32 next-hop self med {med}")
        pair.fake.write(f"{chosen} announce route 192.0.2.8/32 next-hop self med {med}")
    pair.fake.turn()
    pair.fake.read()  # the relay swallows answers that are owed to the speaker before us
    pair.fake.peers["10.0.0.1"].stalled = False
    farewell = Farewell()
    part(pair, farewell)
    assert pair.held(R) == {}


def test_time_grows_with_the_number_of_routes(pair: Pair) -> None:
    """There is a second, and more for many routes (P3)."""
    farewell = Farewell()
    assert farewell.limit_s == 1.0
    part(pair, farewell)
    assert 1.0 < farewell.limit_s < 1.01
