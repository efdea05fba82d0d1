"""Frames between members as bytes: what is said is read back, and what is wrong with one is named."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames.checksum import checksum
from orchestrator.layer2.frames.vrrp import Packet
from orchestrator.layer2.shared.claim import Claim, Claims, Entry, decode_claims, encode_claims
from orchestrator.layer2.shared.hello import Hello, Report, State, decode_hello, encode_hello
from orchestrator.layer2.shared.member_frame import (
    FINAL,
    FRESH,
    FULL,
    LONGEST,
    Head,
    Kind,
    Lock,
    Refusal,
    decode_frame,
    encode_frame,
)

SOURCE = ipaddress.ip_address("192.0.2.2")
TARGET = ipaddress.ip_address("224.0.0.254")
KEYS = (b"new key", b"old key")
HEAD = Head(7, b"boot id.", 1, 2, "node-a")
LOCK = Lock(7)

boots = st.binary(min_size=8, max_size=8)
longs = st.integers(0, (1 << 64) - 1)
words = st.integers(0, (1 << 32) - 1)
names = st.text(min_size=1, max_size=60)
heads = st.builds(
    Head, st.just(7), boots, longs, words, names, st.sampled_from((0, FRESH, FULL, FULL | FINAL))
)
reports = st.builds(Report, boots, st.integers(0, 65535), words)
hellos = st.builds(
    Hello,
    heads,
    st.sampled_from(State),
    st.integers(1, 60_000).map(lambda ms: ms / 1000),
    words,
    longs,
    st.lists(reports, max_size=49).map(tuple),
)
addresses = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
claims = st.builds(
    Claim, st.integers(-(1 << 31), (1 << 31) - 1), st.binary(min_size=8, max_size=8), st.booleans()
)
entries = st.builds(Entry, addresses, st.none() | claims, st.booleans())
changes = st.builds(Claims, heads, words, longs, st.lists(entries, max_size=30).map(tuple))
key_lists = st.sampled_from(((), KEYS))


def packet(payload: bytes, ttl: int = 255) -> Packet:
    """A packet that carries a frame."""
    return Packet(SOURCE, TARGET, ttl, payload)


def read(payload: bytes, lock: Lock = LOCK) -> Hello | Claims | Refusal:
    """Read a whole frame."""
    decoded = decode_frame(packet(payload), lock)
    if isinstance(decoded, Refusal):
        return decoded
    kind, head, body = decoded
    return decode_hello(head, body) if kind is Kind.HELLO else decode_claims(head, body)


def a_hello(keys: tuple[bytes, ...] = ()) -> bytes:
    """A plain hello."""
    return encode_hello(Hello(HEAD, State.MEMBER, 0.1, 1, 2), keys)


def resealed(payload: bytes) -> bytes:
    """A frame whose checksum fits again."""
    bare = payload[:6] + b"\0\0" + payload[8:]
    return bare[:6] + checksum(bare).to_bytes(2, "big") + bare[8:]


@given(hellos, key_lists)
def test_a_hello_is_read_back(hello: Hello, keys: tuple[bytes, ...]) -> None:
    """Every hello means what was said, with checksum or HMAC."""
    assert read(encode_hello(hello, keys), Lock(7, keys)) == hello


@given(changes, key_lists)
def test_claims_are_read_back(frame: Claims, keys: tuple[bytes, ...]) -> None:
    """Every frame of changed claims means what was said; a range begins after its address."""
    expected = frame if not frame.head.flags & FULL else None
    found = read(encode_claims(frame, keys), Lock(7, keys))
    assert isinstance(found, Claims)
    assert expected is None or found == expected
    assert (found.after == b"") == bool(frame.head.flags & FULL)


def test_a_frame_looks_like_vrrp_of_an_unknown_type() -> None:
    """Version 3, type 15, then the VRID: every VRRP router discards it (RFC 9568 7.1)."""
    assert a_hello()[:2] == bytes((0x3F, 7))


def test_a_hello_of_fifty_members_fits() -> None:
    """49 others are listed in one frame, with the longest name that Kubernetes allows."""
    head = Head(7, b"boot id.", 1, 2, "n" * 253)
    listed = tuple(Report(bytes((n,) * 8), n, n) for n in range(49))
    assert len(encode_hello(Hello(head, State.MEMBER, 0.1, 1, 2, listed), KEYS)) <= LONGEST


@given(hellos, key_lists, st.data())
def test_no_flipped_bit_passes(hello: Hello, keys: tuple[bytes, ...], data: st.DataObject) -> None:
    """A single wrong bit anywhere is refused."""
    good = encode_hello(hello, keys)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    wrong = bytearray(good)
    wrong[bit // 8] ^= 1 << bit % 8
    assert isinstance(read(bytes(wrong), Lock(7, keys)), Refusal)


@given(hellos | changes, st.data())
def test_no_cut_frame_passes(frame: Hello | Claims, data: st.DataObject) -> None:
    """A frame that ends early is refused, also when its checksum fits."""
    good = encode_hello(frame, ()) if isinstance(frame, Hello) else encode_claims(frame, ())
    cut = data.draw(st.integers(0, len(good) - 1))
    wrong = good[:cut] if cut < 8 else resealed(good[:cut])
    assert isinstance(read(wrong), Refusal)


@given(st.sampled_from(Kind), st.integers(0, 255), st.binary(max_size=200))
def test_no_body_raises(kind: Kind, flags: int, body: bytes) -> None:
    """Whatever follows a right head, reading it gives a frame or a named cause."""
    head = Head(7, b"boot id.", 1, 2, "node-a", flags & 0x7F)
    assert read(encode_frame(head, kind, body, ())) is not None


@given(st.binary(max_size=120))
def test_no_garbage_passes(garbage: bytes) -> None:
    """Random bytes are refused; nothing raises."""
    assert isinstance(read(garbage), Refusal)


def altered(at: int, value: int) -> bytes:
    """A hello with one byte changed and a right checksum."""
    good = a_hello()
    return resealed(good[:at] + bytes((value,)) + good[at + 1 :])


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (a_hello()[:28], Refusal.TRUNCATED),
        (altered(0, 0x2F), Refusal.VERSION),
        (altered(0, 0x31), Refusal.TYPE),
        (altered(1, 8), Refusal.OTHER_VRID),
        (altered(2, 2), Refusal.FORMAT),
        (altered(3, 9), Refusal.FORMAT),
        (a_hello()[:-1] + b"\xff", Refusal.CHECKSUM),
        (a_hello(KEYS), Refusal.HMAC),
        (altered(28, 0), Refusal.NAME),
        (altered(29, 0xFF), Refusal.NAME),
        (altered(35, 77), Refusal.STATE),
        (altered(36, 0xFF), Refusal.INTERVAL),
        (resealed(a_hello() + b"\0" * 14), Refusal.LENGTH),
    ],
    ids=lambda value: value.value if isinstance(value, Refusal) else "",
)
def test_each_check_has_a_name(payload: bytes, cause: Refusal) -> None:
    """What is wrong with a frame is told by its own cause."""
    assert read(payload) is cause


def test_a_forwarded_frame_is_refused() -> None:
    """A TTL below 255 came through a router (RFC 9568 5.1.1.3)."""
    assert decode_frame(packet(a_hello(), ttl=254), LOCK) is Refusal.TTL


@pytest.mark.parametrize(
    ("lock", "passes"), [((KEYS[1],), True), ((b"other",), False), ((), False)]
)
def test_one_key_of_several_is_enough(lock: tuple[bytes, ...], passes: bool) -> None:
    """While keys are rotated, a frame passes where its key is among those that are accepted."""
    found = read(a_hello((KEYS[1],)), Lock(7, (KEYS[0], *lock) if lock else ()))
    assert isinstance(found, Hello) is passes
    assert passes or found is Refusal.HMAC


def test_a_node_with_keys_takes_nothing_unsigned() -> None:
    """Without a HMAC a frame is refused where there are keys."""
    assert read(a_hello(), Lock(7, KEYS)) is Refusal.HMAC
