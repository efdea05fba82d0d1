"""Properties of reading: it never raises, is deterministic, and harms only what is faulty."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.documents import UnreadableError, parse
from orchestrator.config.formats import parse_duration, parse_range, whole_seconds
from orchestrator.model.problem import Severity
from tests.property.objects_of import OBJECTS, one, stream

LOST = frozenset({"notAnObject", "unreadable"})


@given(OBJECTS)
def test_reading_never_raises_and_is_repeatable(made: list[dict[str, Any]]) -> None:
    """Whatever the objects say, reading gives an answer, and the same one again."""
    text = stream(made)
    first = one(text)
    assert one(text) == first
    assert one(text, first).policy == first.policy
    assert all(problem.message and problem.place for problem in first.problems)


@given(OBJECTS, OBJECTS)
def test_good_input_means_the_same_whatever_was_before(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    """After any change, an input without errors means what it means from scratch."""
    text = stream([*after, {"apiVersion": "v1", "kind": "Pod"}])
    fresh = one(text)
    if all(problem.severity is Severity.WARNING for problem in fresh.problems):
        assert one(text, one(stream(before))) == fresh


@given(OBJECTS, st.integers(0, 3000))
def test_unreadable_rest_deletes_nothing(made: list[dict[str, Any]], length: int) -> None:
    """Of a text cut inside an object everything stays in force as it was."""
    text = stream(made)
    whole = one(text)
    cut = one(text[:length], whole)
    if any(problem.code in LOST for problem in cut.problems):
        for key, good in whole.good.items():
            assert cut.good[key].value == good.value


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are read without raising; problems have a line and a column."""
    for problem in one(data).problems:
        _, line, column = problem.place.rsplit(":", 2)
        assert int(line) >= 1
        assert int(column) >= 1


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%#? \n\t<0", max_size=60))
def test_any_yaml_like_text(text: str) -> None:
    """Text full of YAML's signs is parsed or refused, nothing else."""
    try:
        parse(text.encode())
    except UnreadableError as refused:
        mark = refused.mark
    else:
        return
    assert mark.line >= 1
    assert mark.column >= 1


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_ranges_hold_their_ends(one_end: Any, other_end: Any) -> None:
    """A range contains its ends, and its mask is no longer than its size allows."""
    first, last = sorted((one_end, other_end))
    found = parse_range(f"{first}-{last}")
    assert first in found
    assert last in found
    assert 2 ** (32 - found.mask_length) <= found.size


@given(st.integers(0, 10**6))
def test_durations_of_whole_seconds(seconds: int) -> None:
    """However a whole number of seconds is written, it is read as that."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    for text in (f"{seconds}s", f"{hours}h{minutes}m{left}s", f"{seconds * 1000}ms"):
        assert whole_seconds(parse_duration(text)) == seconds


RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair))),
    min_size=1,
    max_size=3,
)


@given(st.lists(RANGES, max_size=8))
def test_pools_in_force_never_overlap(pools: list[list[tuple[int, int]]]) -> None:
    """Whatever pools are given, those in force are disjoint, and each other one has an error."""
    made = [
        {
            "apiVersion": "metallb.io/v1beta1",
            "kind": "IPAddressPool",
            "metadata": {"name": f"p{number}"},
            "spec": {"addresses": [f"10.0.0.{first}-10.0.0.{last}" for first, last in entries]},
        }
        for number, entries in enumerate(pools)
    ]
    reading = one(stream(made))
    numbers = [
        int(address)
        for pool in reading.policy.pools
        for entry in pool.ranges
        for address in range(int(entry.first), int(entry.last) + 1)
    ]
    assert len(numbers) == len(set(numbers))
    named = {pool.name for pool in reading.policy.pools}
    faulty = {problem.object.rsplit("/", 1)[1] for problem in reading.problems}
    assert named | faulty == {f"p{number}" for number in range(len(pools))}
    assert not named & faulty
