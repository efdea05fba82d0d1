"""Every field of every kind of ours, given wrongly: always a problem, with a place, never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.reading import Reading
from orchestrator.config.schema import (
    Boolean,
    Choice,
    Field,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Parsed,
    Record,
    Text,
    Type,
)
from orchestrator.model.problem import Severity
from tests.property.objects_of import (
    ANYTHING,
    OURS,
    PLACES,
    Place,
    assert_in_text,
    example,
    one,
    places,
    sample,
    stream,
    with_value,
    without,
)

BY_KIND = pytest.mark.parametrize("kind", OURS, ids=lambda kind: f"{kind.name}-{kind.versions[0]}")
HUGE = 10**30
UNICODE = "\u202e\u00fc\U0001f980\u0000\u2028"


def read_one(made: dict[str, Any]) -> Reading:
    """Read one object, and look at the places of its problems."""
    text = stream([made])
    reading = one(text)
    assert_in_text(text, reading.problems)
    return reading


def errors_at(reading: Reading, path: str) -> list[str]:
    """Codes of the errors at a path, or inside of what is there."""
    return [
        problem.code
        for problem in reading.problems
        if problem.severity is Severity.ERROR and problem.path.startswith(path)
    ]


def other_types(wanted: Type) -> list[Any]:
    """Make values of other types than is wanted."""
    others: dict[type, list[Any]] = {
        Integer: ["text", True, [1], {"a": 1}, 1.5],
        Boolean: ["true", 1, [True], {"a": True}],
        Choice: [1, False, ["a"], {"a": "b"}],
        Text: [1, False, 0.5, ["a"], {"a": "b"}],
        Parsed: [1, False, 0.5, ["a"], {"a": "b"}],
        ListOf: ["text", 1, True, {"a": "b"}],
        MapOf: ["text", 1, True, ["a"]],
        Record: ["text", 1, True, ["a"]],
    }
    return others[type(wanted)]


@BY_KIND
def test_examples_have_no_error(kind: Kind) -> None:
    """What the other tests start from is good."""
    assert read_one(example(kind)).valid


@BY_KIND
def test_another_type(kind: Kind) -> None:
    """A value of another type is an error at the field."""
    for place in places(kind):
        for value in other_types(place.field.type):
            assert errors_at(read_one(with_value(place, value)), place.text), (place.text, value)


@BY_KIND
def test_missing_or_null(kind: Kind) -> None:
    """A required field that is missing is an error at it; null is the same as missing."""
    for place in places(kind):
        missing, null = read_one(without(place)), read_one(with_value(place, None))
        assert ("missingField" in errors_at(missing, place.text)) is place.field.required
        assert {(found.code, found.path) for found in missing.problems} == {
            (found.code, found.path) for found in null.problems
        }
        assert missing.policy == null.policy


@BY_KIND
def test_huge_and_negative(kind: Kind) -> None:
    """Numbers beyond what is declared, and endless texts and lists, are errors at the field."""
    for place in places(kind):
        wanted = place.field.type
        values: list[Any] = ["x" * 100_000, HUGE, -HUGE]
        if isinstance(wanted, Integer):
            values += [wanted.minimum - 1, wanted.maximum + 1]
        if isinstance(wanted, ListOf):
            values = [HUGE, [sample(wanted.item)] * (wanted.max_items + 1)]
        for value in values:
            assert errors_at(read_one(with_value(place, value)), place.text), (
                place.text,
                str(value)[:20],
            )


@BY_KIND
def test_unicode(kind: Kind) -> None:
    """Signs from anywhere in Unicode are read or refused at the field; no message repeats them raw."""
    for place in places(kind):
        reading = read_one(with_value(place, UNICODE))
        if not isinstance(place.field.type, Text) or place.field.type.pattern is not None:
            assert errors_at(reading, place.text)
        assert all(problem.message.isprintable() for problem in reading.problems)


@BY_KIND
def test_listed_twice(kind: Kind) -> None:
    """An item that is there twice is an error at the second where items must differ."""
    for place in places(kind):
        wanted = place.field.type
        if isinstance(wanted, ListOf):
            item = sample(wanted.item)
            found = errors_at(read_one(with_value(place, [item, item])), f"{place.text}[1]")
            assert ("duplicateItem" in found) is wanted.unique


@BY_KIND
def test_key_given_twice(kind: Kind) -> None:
    """A field that is given twice is an error, wherever it is."""
    for place in places(kind):
        value = sample(place.field.type)
        marker = "marker-of-the-second"
        text = json.dumps(with_value(place, marker))
        key = json.dumps(place.path[-1])
        assert f'{key}: "{marker}"' in text
        twice = f"{key}: {json.dumps(value)}, {key}: {json.dumps(value)}"
        reading = one(text.replace(f'{key}: "{marker}"', twice).encode())
        assert "duplicateKey" in errors_at(reading, place.text)


@BY_KIND
def test_unknown_field_beside(kind: Kind) -> None:
    """A misspelt field is an error, with the name that was meant."""
    for place in places(kind):
        wrong = Place(place.kind, (*place.path[:-1], f"{place.path[-1]}x"), place.field)
        reading = read_one(with_value(wrong, sample(place.field.type)))
        found = [problem for problem in reading.problems if problem.path == wrong.text]
        assert [problem.code for problem in found] == ["unknownField"]
        assert found[0].hint


@given(st.sampled_from(PLACES), ANYTHING)
def test_anything_anywhere(place: Place, value: Any) -> None:
    """Whatever is at a field, reading gives an answer; what is in force has no error."""
    reading = read_one(with_value(place, value))
    if not reading.valid:
        assert reading.good == {}


@given(st.data())
def test_all_problems_are_reported(data: st.DataObject) -> None:
    """Two faults in one object are two problems."""
    first = data.draw(st.sampled_from(PLACES))
    beside = [
        other
        for other in places(first.kind)
        if not other.text.startswith(first.text) and not first.text.startswith(other.text)
    ]
    if not beside:
        return
    second = data.draw(st.sampled_from(beside))
    made = with_value(first, other_types(first.field.type)[0])
    both = with_value(second, other_types(second.field.type)[0], made)
    reading = read_one(both)
    assert errors_at(reading, first.text)
    assert errors_at(reading, second.text)


ANNOTATIONS = [(kind, field) for kind in OURS for field in kind.annotations]


@pytest.mark.parametrize(("kind", "field"), ANNOTATIONS, ids=lambda value: value.name)
def test_annotations(kind: Kind, field: Field) -> None:
    """A setting in an annotation is read as strictly as a field, and must be text."""
    path = f"metadata.annotations.{field.name}"
    for value in ("no such value", str(HUGE), str(-HUGE), UNICODE, "", 5, True, ["a"], {"a": "b"}):
        made = example(kind)
        made["metadata"]["annotations"] = {field.name: value}
        assert errors_at(read_one(made), path), value
