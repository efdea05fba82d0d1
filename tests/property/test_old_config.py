"""The old configuration and imports under arbitrary, cut and damaged input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.imports.result import Imported, UnreadableImportError
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from tests.unit.config.imported import FORMATS, reread, sample

_OLD = """\
peers:
- my-asn: 42
  peer-asn: 142
  peer-address: 192.0.2.1
  hold-time: 90s
  bfd-profile: fast
  node-selectors:
  - match-labels: {a: b}
bgp-communities: {x: "1:2"}
address-pools:
- name: a
  protocol: bgp
  addresses: [10.0.0.0/24, 10.1.0.1-10.1.0.9]
  bgp-advertisements:
  - {aggregation-length: 32, communities: [x, "3:4"]}
bfd-profiles:
- {name: fast, receive-interval: 50}
"""
_HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata:\n  config: |\n"
_WRAPPED = _HEAD + "".join(f"    {line}\n" for line in _OLD.splitlines())
_WORDS = st.sampled_from(
    [
        "peers",
        "address-pools",
        "name",
        "null",
        "[]",
        "{}",
        "-1",
        "1e9",
        "true",
        "'x'",
        "&a",
        "*a",
        "ü",
        "~",
        "0x7f",
        "|",
        ">",
        "---",
        "\t",
        "{",
        "}",
        ";",
        "2001:db8::/32",
        "10.0.0.0/8",
        "neighbor",
        "route",
        "vrrp_instance",
        "priority",
    ]
)
_FORMATS = st.sampled_from(list(FORMATS))


def checked(text: bytes) -> Reading:
    """Read a text; every problem must have a place inside it."""
    reading = read([Source("x.yaml", text)])
    for problem in reading.problems:
        name, line, column = problem.place.rsplit(":", 2)
        assert name == "x.yaml"
        assert 1 <= int(line) <= text.count(b"\n") + 2
        assert int(column) >= 1
    return reading


def imported(format_name: str, text: bytes) -> Imported | None:
    """Import a text; None when it is unreadable."""
    try:
        return FORMATS[format_name][0](text)
    except UnreadableImportError:
        return None


@pytest.mark.parametrize("whole", [_OLD, _WRAPPED])
def test_cut_at_every_byte(whole: str) -> None:
    """A configuration cut anywhere is read without an exception, and only known pools result."""
    assert not checked(whole.encode()).policy.pools_faulty
    for end in range(len(whole)):
        found = checked(whole[:end].encode())
        assert {pool.name for pool in found.policy.pools} <= {"a"}


@given(st.integers(0, len(_OLD)), st.integers(0, 20), _WORDS)
def test_damaged_anywhere(start: int, length: int, word: str) -> None:
    """A piece replaced by anything gives problems with places, never an exception."""
    damaged = _OLD[:start] + word + _OLD[start + length :]
    checked(damaged.encode())
    checked((_HEAD + "".join(f"    {line}\n" for line in damaged.splitlines())).encode())


@given(st.text(max_size=300))
def test_any_text_in_the_config_map(text: str) -> None:
    """Whatever the ConfigMap's text is, it is read without an exception."""
    quoted = text.encode("unicode_escape").decode().replace('"', "")
    head = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": '
    checked(f'{head}{{"config": "{quoted}"}}}}\n'.encode())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_value_in_any_field(value: object) -> None:
    """A field with a value of any type gives a problem or is taken, never an exception."""
    import json

    written = json.dumps(value)
    for line in _OLD.splitlines():
        key, colon, _ = line.partition(": ")
        if colon:
            checked(_OLD.replace(line, f"{key}: {written}").encode())


@given(_FORMATS, st.binary(max_size=200))
def test_imports_take_any_bytes(format_name: str, data: bytes) -> None:
    """Any bytes are unreadable, or give objects that are valid."""
    found = imported(format_name, data)
    assert found is None or reread(found).valid


@given(_FORMATS, st.data())
def test_imports_take_damaged_samples(format_name: str, data: st.DataObject) -> None:
    """A real configuration cut and damaged anywhere is unreadable, or gives valid objects."""
    whole = sample(format_name)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 40, len(whole))))
    word = data.draw(_WORDS).encode()
    for damaged in (whole[:start], whole[:start] + word + whole[end:]):
        found = imported(format_name, damaged)
        assert found is None or reread(found).valid


@given(_FORMATS, st.lists(_WORDS | st.text(max_size=5), max_size=40))
def test_imports_take_any_words(format_name: str, words: list[str]) -> None:
    """Words in any order are unreadable, or give objects that are valid."""
    found = imported(format_name, " ".join(words).encode("utf-8", "replace"))
    assert found is None or reread(found).valid
