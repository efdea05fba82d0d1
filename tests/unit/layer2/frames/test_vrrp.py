"""Adverts as bytes: what is sent is read back, and what is wrong with one is named."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames.checksum import checksum
from orchestrator.layer2.frames.vrrp import Advert, Packet, Rejection, decode, encode
from orchestrator.model.address import IPAddress
from orchestrator.model.virtual_router import ChecksumForm

V4 = ipaddress.ip_address("192.0.2.2"), ipaddress.ip_address("224.0.0.18")
V6 = ipaddress.ip_address("fe80::2"), ipaddress.ip_address("ff02::12")
ADVERT = Advert(3, 51, 150, 1000, (ipaddress.ip_address("192.0.2.254"),))
OLD = replace(ADVERT, version=2, password="word")
forms = st.sampled_from(ChecksumForm)
ids = st.integers(0, 255)


def ends(advert: Advert) -> tuple[IPAddress, IPAddress]:
    """Source and target of an advert of its family."""
    return V4 if advert.addresses[0].version == 4 else V6


def packet(advert: Advert, form: ChecksumForm = ChecksumForm.KEEPALIVED) -> Packet:
    """The packet that carries an advert."""
    source, target = ends(advert)
    return Packet(source, target, 255, encode(advert, source, target, form))


addresses = st.lists(st.ip_addresses(v=4), min_size=1, max_size=9) | st.lists(
    st.ip_addresses(v=6), min_size=1, max_size=9
)
new_adverts = st.builds(
    Advert,
    st.just(3),
    ids,
    ids,
    st.integers(1, 4095).map(lambda centiseconds: centiseconds * 10),
    addresses.map(tuple),
)
old_adverts = st.builds(
    Advert,
    st.just(2),
    ids,
    ids,
    st.integers(1, 255).map(lambda seconds: seconds * 1000),
    st.lists(st.ip_addresses(v=4), min_size=1, max_size=9).map(tuple),
    st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
)
adverts = new_adverts | old_adverts


@given(adverts, forms)
def test_an_advert_is_read_back(advert: Advert, form: ChecksumForm) -> None:
    """Every advert of both versions and families means what was sent, with either checksum."""
    assert decode(packet(advert, form)) == advert


@given(adverts, forms, st.data())
def test_no_flipped_bit_passes(advert: Advert, form: ChecksumForm, data: st.DataObject) -> None:
    """A single wrong bit anywhere is refused, by the checksum or by another check."""
    good = packet(advert, form)
    bit = data.draw(st.integers(0, 8 * len(good.payload) - 1))
    wrong = bytearray(good.payload)
    wrong[bit // 8] ^= 1 << bit % 8
    assert isinstance(decode(replace(good, payload=bytes(wrong))), Rejection)


@given(adverts, st.data())
def test_no_cut_advert_passes(advert: Advert, data: st.DataObject) -> None:
    """An advert that ends too early, or goes on, is refused."""
    good = packet(advert)
    cut = data.draw(st.integers(0, len(good.payload) - 1))
    assert isinstance(decode(replace(good, payload=good.payload[:cut])), Rejection)
    assert decode(replace(good, payload=good.payload + b"\0")) is Rejection.LENGTH


@given(st.binary(max_size=64), st.integers(0, 255), st.sampled_from([V4, V6]))
def test_no_bytes_are_too_much(
    payload: bytes, ttl: int, between: tuple[IPAddress, IPAddress]
) -> None:
    """Whatever comes off the wire is an advert or a named refusal."""
    assert isinstance(decode(Packet(*between, ttl, payload)), Advert | Rejection)


def resummed(advert: Advert, at: int, value: int) -> Packet:
    """An advert with one byte changed and the checksum made right again."""
    good = packet(advert, ChecksumForm.RFC9568)
    body = bytearray(good.payload)
    body[at] = value
    body[6:8] = b"\0\0"
    body[6:8] = checksum(bytes(body)).to_bytes(2, "big")
    return replace(good, payload=bytes(body))


@pytest.mark.parametrize(
    ("wrong", "rejection"),
    [
        (replace(packet(ADVERT), ttl=254), Rejection.TTL),
        (replace(packet(ADVERT), payload=b"\x31\x33"), Rejection.TRUNCATED),
        (resummed(ADVERT, 0, 0x41), Rejection.VERSION),
        (resummed(ADVERT, 0, 0x3F), Rejection.TYPE),
        (resummed(ADVERT, 3, 0), Rejection.COUNT),
        (resummed(ADVERT, 3, 2), Rejection.LENGTH),
        (replace(packet(ADVERT), source=V4[1]), Rejection.CHECKSUM),
        (resummed(replace(ADVERT, interval_ms=10), 5, 0), Rejection.INTERVAL),
        (resummed(OLD, 4, 2), Rejection.AUTHENTICATION),
    ],
)
def test_each_check_has_its_name(wrong: Packet, rejection: Rejection) -> None:
    """Of several checks the first that fails is named (RFC 9568 7.1, RFC 3768 7.1)."""
    assert decode(wrong) is rejection


def test_version_2_is_not_for_ipv6() -> None:
    """RFC 3768 knows IPv4 only."""
    six = replace(packet(OLD), source=V6[0], target=V6[1])
    assert decode(six) is Rejection.VERSION


def test_bytes_of_an_advert() -> None:
    """The fields are where RFC 9568 5.2 and RFC 3768 5.3 have them."""
    assert packet(ADVERT).payload[:6].hex() == "313396010064"
    assert packet(ADVERT).payload[8:].hex() == "c00002fe"
    assert packet(OLD).payload[:6].hex() == "213396010101"
    assert packet(OLD).payload[8:].hex() == "c00002fe776f726400000000"


@given(st.binary(max_size=41))
def test_what_carries_its_checksum_sums_up_to_zero(data: bytes) -> None:
    """RFC 1071: the sum over data and its checksum is zero, for even lengths."""
    even = data + b"\0" * (len(data) % 2)
    assert checksum(even + checksum(even).to_bytes(2, "big")) == 0
