"""Text to trees: splitting, places, limits, duplicate keys, aliases, JSON."""

from __future__ import annotations

import pytest

from orchestrator.config.documents import MAX_DEPTH, UnreadableError, parse, split
from orchestrator.config.tree import Mapping, Mark, Scalar, locate
from tests.unit.config.samples import POOL, VIP, errors, joined, only, read_text, text_of


def lines_of(text: str) -> list[int]:
    """First lines of the documents of a stream."""
    return [document.first_line for document in split(text.encode())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n---\nb: 2\n", [0, 1]),
        ("---\na: 1\n---\n---\nb: 2\n", [0, 3]),
        ("# only a comment\n---\na: 1\n", [1]),
        ("%YAML 1.2\n---\na: 1\n", [1]),
        ("a: 1\n...\n---\nb: 2\n", [0, 2]),
        ("a: |\n  text\n  --- not a marker\nb: ---x\n", [0]),
        ("\ufeffa: 1\n", [0]),
        ("a: 1\r\n---\r\nb: 2\r\n", [0, 1]),
        ("--- {a: 1}\n--- {b: 2}\n", [0, 1]),
        ("", []),
        ("\n# nothing\n\n", []),
    ],
)
def test_streams_are_split_at_markers(text: str, expected: list[int]) -> None:
    """Documents begin where YAML says, and those without content are left out."""
    assert lines_of(text) == expected


def test_places_count_from_one() -> None:
    """Every value knows its line and column."""
    root = parse(b"a:\n  b:\n  - x\n  - {c: 5}\n")
    assert root is not None
    assert locate(root, ("a", "b", 1, "c")) == Mark(4, 9)
    assert locate(root, ("a", "b", 7)) == Mark(3, 3)
    assert locate(root, ("a", "missing")) == Mark(2, 3)


def test_scalars_stay_text() -> None:
    """Nothing is decided about a scalar before a schema asks, so `64512:1` is no number."""
    root = parse(b"{a: 64512:1, b: on, c: 'on', d: !!str 5}")
    assert isinstance(root, Mapping)
    values = [root.entries[key] for key in "abcd"]
    assert [(v.text, v.plain) for v in values if isinstance(v, Scalar)] == [
        ("64512:1", True),
        ("on", True),
        ("on", False),
        ("5", False),
    ]


def test_json_is_yaml() -> None:
    """JSON is read as it is, indented with tabs too."""
    text = '{\n\t"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",\n\t"metadata": '
    text += '{"name": "a"},\n\t"spec": {"addresses": ["192.0.2.0\\/24"], "autoAssign": false}\n}'
    reading = read_text(text)
    assert reading.problems == ()
    assert not reading.policy.pools[0].auto_assign


def test_json_escapes_beyond_the_basic_plane() -> None:
    """A pair of escapes in JSON is one character; a backslash that is escaped begins no escape."""
    root = parse(rb'{"a": "\ud83d\ude00", "b": "\\ud83d\\ude00", "c": "\u00e9\\\ud83d\ude00"}')
    assert isinstance(root, Mapping)
    values = [node.text for node in root.entries.values() if isinstance(node, Scalar)]
    assert values == ["\U0001f600", "\\ud83d\\ude00", "\u00e9\\\U0001f600"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2\nb: 3\n", "expected ',' or ']'"),
        ("a:\n\t- 1\n", "cannot start any token"),
        ("a: 'open\n", "end of stream"),
        ("a: b: c\n", "mapping values are not allowed"),
        ("a: *nobody\n", "no anchor"),
        ("a: &x [*x]\n", "no anchor"),
        ("? [a]\n: 1\n", "single word"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("a: !secret x\n", "tag"),
        ("<<: 5\n", "takes a mapping"),
        ("a: \x01\n", "control characters"),
        ("[" * (MAX_DEPTH + 1), "nested deeper"),
        ("[" * 100_000, "nest"),
        ("a: " + "{b: " * (MAX_DEPTH + 1), "nested deeper"),
    ],
)
def test_what_is_not_yaml_is_refused(text: str, words: str) -> None:
    """A text that cannot be read, or goes beyond a limit, is refused with the reason."""
    with pytest.raises(UnreadableError, match=words):
        parse(text.encode())


def test_not_utf8_names_the_place() -> None:
    """A byte that is not UTF-8 is refused at its line and column."""
    with pytest.raises(UnreadableError) as refused:
        parse(b"a: 1\nb: \xff\n")
    assert refused.value.mark == Mark(2, 4)


def test_alias_bomb_is_refused() -> None:
    """Aliases that expand to billions of values are refused before anything is expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(UnreadableError, match="expand"):
        parse("\n".join(lines).encode())


def test_aliases_and_merge_keys_work() -> None:
    """Anchors, aliases and `<<` mean what they mean in YAML; own keys win over merged ones."""
    root = parse(b"base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: [*b]\n")
    assert isinstance(root, Mapping)
    use = root.entries["use"]
    assert isinstance(use, Mapping)
    assert {key: node.text for key, node in use.entries.items() if isinstance(node, Scalar)} == {
        "x": "1",
        "y": "3",
    }


def test_repeated_key_is_an_error_of_its_object() -> None:
    """A key given twice is refused at its place, and only its object is left out."""
    bad = text_of("IPAddressPool", "a", f"{POOL}\nautoAssign: true\nautoAssign: false")
    reading = read_text(bad, text_of("IPAddressPool", "b", "addresses: [10.0.0.0/24]"))
    problem = only(reading.problems)
    assert (problem.code, problem.place) == ("duplicateKey", "test.yaml:8:3")
    assert [pool.name for pool in reading.policy.pools] == ["b"]


def test_faulty_document_is_one_error_at_its_place() -> None:
    """Documents before and after one that is not YAML are read; the error has its line."""
    good = [text_of("VirtualIP", name, VIP) for name in ("a", "b")]
    reading = read_text(good[0], "kind: [oops\n", good[1])
    assert set(reading.cluster.virtual_ips) == {"a", "b"}
    problem = only(errors(reading))
    assert problem.code == "unreadable"
    assert problem.place.startswith("test.yaml:")
    line = int(problem.place.split(":")[1])
    start = joined(good[0], "").count("\n")
    assert start < line <= start + 2


@pytest.mark.parametrize("text", ["just words\n", "- a\n- b\n", "kind: Service\n", "a: 1\n"])
def test_what_is_no_object_is_an_error(text: str) -> None:
    """A document without apiVersion and kind is an error that says what is needed."""
    problem = only(read_text(text).problems)
    assert problem.code == "notAnObject"
    assert "apiVersion" in problem.message


@pytest.mark.parametrize(
    ("kind", "version"), [("List", "v1"), ("VirtualIPList", "orchestrator.io/v1alpha1")]
)
def test_lists_are_expanded(kind: str, version: str) -> None:
    """Items of a List, or of a kind's own list, are objects; one bad item harms no other."""
    item = (
        "{apiVersion: orchestrator.io/v1alpha1, kind: VirtualIP, metadata: {name: %s}, spec: {%s}}"
    )
    items = [item % ("a", VIP), item % ("b", "pool: 5"), item % ("c", VIP)]
    text = f"apiVersion: {version}\nkind: {kind}\nitems:\n" + "".join(f"- {i}\n" for i in items)
    reading = read_text(text)
    assert list(reading.cluster.virtual_ips) == ["a", "c"]
    assert only(reading.problems).object == "VirtualIP metallb-system/b"


def test_items_of_a_typed_list_need_no_kind() -> None:
    """Items of an API server's typed list, which carry no kind of their own, are read."""
    text = "apiVersion: v1\nkind: NodeList\nitems:\n- {metadata: {name: n1}}\n"
    assert list(read_text(text).cluster.nodes) == ["n1"]
