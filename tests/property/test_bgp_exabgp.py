"""Whatever happens between us and ExaBGP, routers end with what is wanted."""

from __future__ import annotations

from random import Random
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.bgp.events import parse
from orchestrator.model.policy import Peer
from orchestrator.model.route import Rib
from tests.fakes.exabgp_pair import Pair, fake_peer, fake_rib

Wanted: TypeAlias = dict[Peer, Rib]
PEERS = (fake_peer("r", 1), fake_peer("s", 3, 64501), fake_peer("t", 4, graceful_restart=True))
RIBS = st.dictionaries(st.integers(1, 6), st.integers(1, 3), max_size=6).map(fake_rib)
WANTS = st.dictionaries(st.sampled_from(PEERS), RIBS, min_size=1)
CHANGES = st.fixed_dictionaries(dict.fromkeys(PEERS, RIBS))
FAULTS = st.sampled_from(["down", "up", "up", "new speaker", "restart", "pause", "stall"])
EVENTS = st.lists(st.one_of(CHANGES, CHANGES, CHANGES, WANTS, st.just("step"), FAULTS), max_size=40)


def play(pair: Pair, event: str) -> None:
    """Let one thing happen."""
    match event:
        case "step":
            pair.step()
        case "down":
            pair.down(*PEERS[:2])
        case "up":
            pair.up(*PEERS)
        case "new speaker":
            pair.new_speaker()
        case "restart":
            pair.restart_exabgp()
        case "pause":
            pair.now += 1.0
        case "stall":
            for peer in pair.fake.peers.values():
                peer.stalled = not peer.stalled


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(events=EVENTS, last=WANTS, choices=st.randoms(use_true_random=False))
def test_routers_end_with_what_is_wanted(
    events: list[str | Wanted], last: Wanted, choices: Random
) -> None:
    """After any mix of changes, resets, stalls, and restarts of either side, no ghost and no gap is left."""
    pair = Pair(choices.randint)
    pair.connect()
    pair.want({peer: {} for peer in PEERS})
    pair.settle()
    pair.up(*PEERS)
    pair.settle()
    for event in events:
        if isinstance(event, str):
            play(pair, event)
        else:
            pair.want(event)
    pair.want(last)
    for far in pair.fake.peers.values():
        far.stalled = False
    pair.settle()
    pair.up(*PEERS)
    pair.settle()
    pair.up(*PEERS)  # a session that a late reload has reset comes up again
    pair.settle()
    if "stall" not in events:
        assert not any(far.overlaps for far in pair.fake.peers.values())
    assert set(pair.fake.peers) == {str(peer.address) for peer in last}
    for peer, rib in last.items():
        expected = {int(p.network_address) & 255: route.attributes.med for p, route in rib.items()}
        assert pair.held(peer) == expected
        state = pair.talk.sessions()[peer.name]
        assert (state.desired, state.sent, state.flushed) == (len(rib),) * 3


@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(repr),
        st.from_regex(
            r"\{\"type\": \"(state|update|notification)\", \"neighbor\": \{.{0,60}\}\}",
            fullmatch=True,
        ),
    )
)
def test_no_line_makes_the_reader_raise(line: str) -> None:
    """Any line at all is read into some event."""
    assert parse(line) is not None
