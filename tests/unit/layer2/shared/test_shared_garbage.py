"""Whatever well-formed frames say, nothing raises and addresses are taken and released in pairs."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.layer2.actions import Action, Announce, Release, Take
from orchestrator.layer2.frames.ethernet import MAC
from orchestrator.layer2.frames.vrrp import TTL, Packet
from orchestrator.layer2.shared.claim import HASH_BYTES, Claim, Claims, Entry, encode_claims
from orchestrator.layer2.shared.hello import Hello, Report, State, encode_hello
from orchestrator.layer2.shared.member_frame import FINAL, FRESH, FULL, PARTIAL, Head
from orchestrator.layer2.shared.shared_vips import SharedVIPs
from orchestrator.model.address import IPAddress
from tests.unit.layer2.shared.shared_lan import NIC, VIP, desired, port, wish

OWN = b"\1" * 8
SOURCE, TARGET = ipaddress.ip_address("10.0.0.9"), ipaddress.ip_address("224.0.0.254")
OTHER_VIP = ipaddress.ip_address("2001:db8::1")

boots = st.sampled_from((OWN, b"\2" * 8, b"\3" * 8, b"\4" * 8))
small = st.integers(0, 6)
heads = st.builds(
    Head,
    st.just(1),
    boots,
    st.integers(0, 300),
    st.integers(1, 3),
    st.sampled_from(("a", "b", "c")),
    st.sampled_from((0, FRESH, PARTIAL, FULL, FULL | FINAL | FRESH)),
)
hellos = st.builds(
    Hello,
    heads,
    st.sampled_from(State),
    st.sampled_from((0.001, 0.1, 60.0)),
    small,
    small,
    st.lists(st.builds(Report, boots, st.integers(0, 65535), small), max_size=4).map(tuple),
)
entries = st.builds(
    Entry,
    st.sampled_from((VIP.packed, OTHER_VIP.packed)),
    st.none()
    | st.builds(
        Claim,
        st.integers(-2, 2),
        st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES),
        st.booleans(),
    ),
    st.booleans(),
)
claims = st.builds(Claims, heads, small, small, st.lists(entries, max_size=4).map(tuple))
steps = st.lists(st.tuples(st.sampled_from((0.0, 0.004, 0.1, 1.0)), hellos | claims), max_size=40)


def play(answering: set[IPAddress], actions: list[Action]) -> None:
    """Do what is asked for; pairs must fit."""
    for action in actions:
        match action:
            case Take(_, address):
                assert address not in answering
                answering.add(address)
            case Release(_, address):
                answering.remove(address)
            case Announce(_, address):
                assert address in answering
            case _:
                pass


@given(steps)
@settings(max_examples=300)
def test_nothing_that_members_say_breaks_anything(
    story: list[tuple[float, Hello | Claims]],
) -> None:
    """Frames with any names, boot ids, counters, ages and claims are taken without an error."""
    vips, answering, now = SharedVIPs(OWN), set[IPAddress](), 0.0
    play(answering, vips.want(desired("a", wish(), wish(OTHER_VIP)), now))
    play(answering, vips.ports({NIC: port(1)}, now))
    for wait_s, frame in story:
        now += wait_s
        encoded = encode_hello(frame, ()) if isinstance(frame, Hello) else encode_claims(frame, ())
        packet = Packet(SOURCE, TARGET, TTL, encoded)
        play(answering, vips.receive(NIC, packet, MAC(b"\2" * 6), now))
        timer = vips.next_timer()
        if timer is not None and timer <= now:
            play(answering, vips.handle_timer(now))
        for owners in vips.snapshot(now).owners.values():
            assert all(one.since <= now for one in owners)
    play(answering, vips.leave(now))
    play(answering, vips.handle_timer(now + 2.0))
    assert vips.finished
    assert not answering
