"""Whole files that are cut, bloated or in another order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.reading import Reading
from orchestrator.model.problem import Severity
from tests.property.objects_of import OBJECTS, OURS, assert_in_text, one, stream

WANTED = ("IPAddressPool", "Community", "Settings")
SAMPLE = "---\n".join(kind.example for kind in OURS if kind.name in WANTED).encode()
WHOLE = one(SAMPLE)
TEN_MEGABYTES = 10_000_000


def test_a_file_cut_at_every_byte() -> None:
    """However much of a file is there: an answer, places in the text, whole documents in force."""
    ends = [at for at in range(len(SAMPLE)) if SAMPLE.startswith(b"---\n", at)]
    for length in range(len(SAMPLE)):
        text = SAMPLE[:length]
        reading = one(text)
        assert_in_text(text, reading.problems)
        whole = sum(end + len("---") <= length for end in ends)
        assert len(reading.good) >= whole
    assert len(WHOLE.good) == len(WANTED)


def test_a_file_cut_at_every_byte_after_it_was_whole() -> None:
    """What was in force stays so while the rest of the file cannot be told."""
    for length in range(0, len(SAMPLE), 7):
        reading = one(SAMPLE[:length], WHOLE)
        if any(problem.code in ("unreadable", "notAnObject") for problem in reading.problems):
            assert reading.policy.pools == WHOLE.policy.pools
            assert reading.policy.settings == WHOLE.policy.settings


@given(st.integers(2, 40), st.integers(2, 12), st.booleans())
def test_alias_bombs(depth: int, width: int, merged: bool) -> None:
    """Aliases that would expand without end are one error, and those that do not are read."""
    lines = ["a0: &a0 {x: [1]}" if merged else "a0: &a0 [1]"]
    for level in range(1, depth):
        names = ", ".join(f"*a{level - 1}" for _ in range(width))
        made = f"{{<<: [{names}], y{level}: [{names}]}}" if merged else f"[{names}]"
        lines.append(f"a{level}: &a{level} {made}")
    text = ("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n" + "\n".join(lines)).encode()
    reading = one(text)
    assert_in_text(text, reading.problems)
    refused = [problem.code for problem in reading.problems if problem.code == "unreadable"]
    assert refused == ["unreadable"] or "n" in reading.cluster.nodes
    if width ** (depth - 1) > 1_000_000:
        assert refused


@pytest.mark.parametrize(
    "text",
    [
        b"x" * TEN_MEGABYTES,
        b"[" * TEN_MEGABYTES,
        b"- " * (TEN_MEGABYTES // 2),
        b"a: " * (TEN_MEGABYTES // 3),
        b"{a: " * (TEN_MEGABYTES // 4),
        b"'" + b"\n" * TEN_MEGABYTES,
        b"#" * TEN_MEGABYTES,
        b"\x00" * TEN_MEGABYTES,
        b"\xff" * TEN_MEGABYTES,
        b"%" * TEN_MEGABYTES,
        b"&a " * (TEN_MEGABYTES // 3),
        b"!!" + b"x" * TEN_MEGABYTES,
        b"\\u" * (TEN_MEGABYTES // 2),
    ],
    ids=lambda text: repr(text[:4]),
)
def test_ten_megabytes_of_one_thing(text: bytes) -> None:
    """A huge file of nonsense is a short problem, or nothing at all."""
    reading = one(text)
    assert_in_text(text, reading.problems)
    assert all(len(str(problem)) < 500 for problem in reading.problems)
    assert reading.good == {}


def test_ten_megabytes_in_one_field() -> None:
    """A huge value is an error at its field, without the value in its message."""
    text = SAMPLE.replace(b"192.0.2.0/25", b"9" * TEN_MEGABYTES)
    reading = one(text)
    assert_in_text(text, reading.problems)
    found = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert [problem.path for problem in found] == ["spec.addresses[0]"]
    assert len(found[0].message) < 500
    assert reading.policy.settings == WHOLE.policy.settings


def said(reading: Reading) -> set[tuple[str, ...]]:
    """What is wrong, without where in the text."""
    return {
        (found.severity.value, found.code, found.object, found.path, found.message)
        for found in reading.problems
    }


@given(st.data(), OBJECTS)
def test_order_does_not_matter(data: st.DataObject, made: list[dict[str, Any]]) -> None:
    """Two orders of the same objects mean the same and have the same problems."""
    different = list({(item["kind"], item["metadata"]["name"]): item for item in made}.values())
    shuffled = data.draw(st.permutations(different))
    first, second = one(stream(different)), one(stream(shuffled))
    assert first.policy == second.policy
    assert first.cluster == second.cluster
    assert said(first) == said(second)
