"""The Internet checksum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layer2.frames.checksum import checksum


def test_the_example_of_rfc_1071() -> None:
    """The words 0001 f203 f4f5 f6f7 sum up to ddf2 (RFC 1071 3)."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(st.binary(max_size=64))
def test_it_is_the_sum_with_carries(data: bytes) -> None:
    """It is what adding word by word gives, each carry added back in, an odd byte padded."""
    total = 0
    padded = data + b"\0" * (len(data) % 2)
    for at in range(0, len(padded), 2):
        total += int.from_bytes(padded[at : at + 2], "big")
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(data) == total ^ 0xFFFF


@given(st.binary(max_size=64).filter(lambda data: len(data) % 2 == 0))
def test_what_holds_its_checksum_sums_up_to_nothing(data: bytes) -> None:
    """With its checksum appended, data sums up to 0."""
    assert checksum(data + checksum(data).to_bytes(2, "big")) == 0
