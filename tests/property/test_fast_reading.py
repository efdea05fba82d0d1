"""Reading without places, and of JSON, gives what reading every document with places gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import objects as reading_objects
from orchestrator.config.fast.plain import DoubtError
from orchestrator.config.kinds.registry import KINDS
from orchestrator.config.objects import read_document
from orchestrator.config.read import read
from orchestrator.config.reading import Reading
from orchestrator.config.source import Source
from orchestrator.config.tree import looks_numeric
from tests.property.objects_of import ANYTHING, WORDS, objects

Objects = list[dict[str, Any]]
Writer = Callable[[Objects], str]

EVERYBODYS = [kind for kind in KINDS if not kind.strict]
_MARKS = (
    "x: y",
    "a #b",
    "- a",
    "'",
    '"',
    "a\nb",
    "a\tb",
    "\\",
    " a ",
    "*a",
    "&a",
    "!a",
    "{",
    "[a]",
    "<<",
    "|",
)
_WORDS = ("true", "on", "No", "~", "null", "0x1F", "007", "1_0", "1e3", "1.5", ".5", "+1", "-")
_OTHERS = ("2026-01-02", "é", "\u2028", "\x85", "\x7f", "\U0001f600", "x" * 70, "a b" * 40)
TRICKY = st.sampled_from((*_MARKS, *_WORDS, *_OTHERS))
EXTRAS = st.dictionaries(WORDS | TRICKY, ANYTHING | TRICKY, max_size=2)


def service_like() -> st.SearchStrategy[dict[str, Any]]:
    """Make objects of the kinds that are read at speed, with fields that nobody declared."""
    made = st.one_of([objects(kind) for kind in EVERYBODYS])
    labels = st.dictionaries(WORDS | TRICKY, TRICKY | WORDS, max_size=2)
    return st.tuples(made, EXTRAS, labels, st.booleans()).map(_with_extras)


def _with_extras(
    parts: tuple[dict[str, Any], dict[str, Any], dict[str, Any], bool],
) -> dict[str, Any]:
    made, extras, labels, labelled = parts
    metadata = {**made["metadata"], **({"labels": labels} if labelled else {})}
    return {**extras, **made, "metadata": metadata}


MANY = st.lists(st.one_of(service_like(), *[objects(kind) for kind in KINDS]), max_size=5)


class Quoting(yaml.SafeDumper):
    """Quotes what Kubernetes takes for a number; PyYAML does so with fewer of them."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Write a text so that it stays one."""
        style = '"' if looks_numeric(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


Quoting.add_representer(str, Quoting.represent_str)


def documents(made: Objects) -> str:
    """Write one YAML document each."""
    return yaml.safe_dump_all(made, explicit_start=True, allow_unicode=True, sort_keys=False)


def yaml_list(made: Objects) -> str:
    """Write one List as kubectl does."""
    return yaml.safe_dump({"apiVersion": "v1", "items": made, "kind": "List"}, sort_keys=False)


def flow_list(made: Objects) -> str:
    """Write one List in flow style, which is YAML but not JSON."""
    whole = {"apiVersion": "v1", "kind": "List", "items": made}
    return yaml.safe_dump(whole, default_flow_style=True)


def json_documents(made: Objects) -> str:
    """Write one JSON document each."""
    return "\n---\n".join(json.dumps(item, ensure_ascii=False) for item in made)


def json_list(made: Objects) -> str:
    """Write one indented JSON List."""
    return json.dumps({"kind": "List", "apiVersion": "v1", "items": made, "metadata": {}}, indent=2)


@contextmanager
def only_with_places() -> Iterator[None]:
    """Let every document be parsed as a whole."""
    with mock.patch.object(reading_objects, "outline_of", side_effect=DoubtError):
        yield


def one(text: str) -> Reading:
    """Read one text."""
    return read([Source("f", text.encode("utf-8", "surrogatepass"))])


WRITERS = [documents, yaml_list, flow_list, json_documents, json_list]


@given(MANY, st.sampled_from(WRITERS))
def test_fast_and_careful_reading_are_equal(made: Objects, write: Writer) -> None:
    """Whatever the objects and however written: the same policy, cluster, problems and places."""
    text = write(made)
    first, fast = one(text), one(text)
    with only_with_places():
        careful = one(text)
    assert first == fast == careful
    assert first.kinds == fast.kinds == careful.kinds


@given(MANY)
def test_json_and_yaml_mean_the_same(made: Objects) -> None:
    """JSON text and the same objects as YAML mean the same, and are wrong in the same ways."""
    quoted = yaml.dump({"apiVersion": "v1", "items": made, "kind": "List"}, Dumper=Quoting)
    as_yaml, as_json = one(quoted), one(json_list(made))
    assert as_yaml.policy == as_json.policy
    assert as_yaml.cluster == as_json.cluster
    assert sorted(map(_wrong, as_yaml.problems)) == sorted(map(_wrong, as_json.problems))


def _wrong(problem: Any) -> tuple[str, str, str, str]:
    return problem.severity.value, problem.object, problem.path, problem.code


@given(MANY, st.sampled_from(WRITERS), st.data())
def test_damaged_text(made: Objects, write: Writer, data: st.DataObject) -> None:
    """A text with a piece cut out or put in is read alike by both."""
    text = write(made)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    inserted = data.draw(
        TRICKY | st.sampled_from(["\n", "\n- ", "  ", "\r\n", ",", "}", "&a ", "*a"])
    )
    damaged = text[:start] + inserted + text[end:]
    first, fast = one(damaged), one(damaged)
    with only_with_places():
        careful = one(damaged)
    assert first == fast == careful


SERVICE = """---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: team
  labels:
    app: {label}
    {key}: b
  annotations:
    metallb.io/loadBalancerIPs: {address}
    last-applied: {literal}
spec:
  type: LoadBalancer
  clusterIP: {address}
  ports:
  - port: {port}
"""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", '"c"', "'d'", "1", "null", "Bad_Name"]),
            st.sampled_from(
                ["x", "1", "yes", '"yes"', "'1'", "null", "a-b", "x y", "0x1", '""', "''"]
            ),
            st.sampled_from(["k", "'k'", "app", "9"]),
            st.sampled_from(["10.0.0.1", '"10.0.0.1"', "2001:db8::1", "None", "1.5"]),
            st.sampled_from(["80", '"80"', "0", "080", "70000", "8_0", "x"]),
            st.sampled_from(
                [
                    f"|\n      {text}"
                    for text in ("{}", "{a: b} ", "{ # c", "x", "{}\n       y", "{}\n\n")
                ]
                + ["|-\n      {}", ">\n      {}", "|\n     {}", "|\n        {}", "'|'", "{}"]
            ),
        ),
        max_size=6,
    )
)
def test_alike_documents(rows: list[tuple[str, ...]]) -> None:
    """Documents of one shape with all kinds of simple values are read alike by both."""
    names = ("name", "label", "key", "address", "port", "literal")
    text = "".join(SERVICE.format(**dict(zip(names, row, strict=True))) for row in rows)
    first, fast = one(text), one(text)
    with only_with_places():
        careful = one(text)
    assert first == fast == careful


def test_alike_documents_are_not_parsed_again() -> None:
    """Of a thousand alike Services only the first two are parsed."""
    rest = {"key": "k", "address": "10.0.0.1", "port": "80", "literal": "|\n      {{}}"}
    text = SERVICE.format(name="{}", label="a", **rest)
    for _ in range(2):
        read_document(text.format("s0").encode(), trusted=False)
    with mock.patch("orchestrator.config.fast.pieces.parse", side_effect=AssertionError):
        for number in range(1000):
            contents = read_document(text.format(f"s{number}").encode(), trusted=False)
            assert contents.found[0].name == f"s{number}"
