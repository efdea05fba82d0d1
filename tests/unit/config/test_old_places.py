"""Where problems of an old configuration are: the line in the file, however the text is written."""

from __future__ import annotations

import pytest

from tests.unit.config.samples import only, read_text

PEERS = """\
peers:
- my-asn: 42
  peer-asn: 142
  peer-address: 192.0.2.1
  hold-time: 1s
"""
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n"


def block(header: str, indent: int, text: str) -> str:
    """Write the text as a block scalar."""
    lines = "".join(" " * indent + line + "\n" for line in text.splitlines())
    return f"{HEAD}  config: {header}\n{lines}"


def place(text: str) -> str:
    """Place of the one problem."""
    return only(read_text(text).problems).place


def test_bare_text() -> None:
    """In a bare text it is the line and column of the value."""
    assert place(PEERS) == "test.yaml:5:14"


def test_document_after_others() -> None:
    """Lines count from the start of the file, not of the document."""
    assert place("# first\n---\n" + PEERS) == "test.yaml:7:14"


@pytest.mark.parametrize(
    ("header", "indent", "text", "expected"),
    [
        ("|", 4, PEERS, "test.yaml:11:18"),
        ("|-", 7, PEERS, "test.yaml:11:21"),
        ("|", 4, "\n\n" + PEERS, "test.yaml:13:18"),
        ("| # of v0.9", 4, "# comment\n" + PEERS, "test.yaml:12:18"),
    ],
)
def test_block_scalar(header: str, indent: int, text: str, expected: str) -> None:
    """In a block scalar it is the line in the file, with the indentation counted in."""
    assert place(block(header, indent, text)) == expected


def test_windows_line_ends() -> None:
    """Carriage returns do not shift lines."""
    assert place(block("|", 4, PEERS).replace("\n", "\r\n")) == "test.yaml:11:18"


def test_quoted_text() -> None:
    """In a quoted text it is where the text begins, and the message tells the line inside."""
    quoted = PEERS.replace("\n", "\\n")
    problem = only(read_text(f'{HEAD}  config: "{quoted}"\n').problems)
    assert problem.place == "test.yaml:6:11"
    assert "(line 5 of the text)" in problem.message


def test_text_that_is_not_yaml() -> None:
    """A text that is not YAML is an error of the ConfigMap, at its place in the file."""
    problem = only(read_text(block("|", 4, "peers:\n- a: [\nb: c\n")).problems)
    assert problem.object == "ConfigMap metallb-system/config"
    assert problem.place.startswith("test.yaml:10:")


def test_unknown_key() -> None:
    """An unknown key is an error of the ConfigMap, at the key."""
    problem = only(read_text(block("|", 4, PEERS.replace("hold-time: 1s", "hold: 1s"))).problems)
    assert problem.object == "ConfigMap metallb-system/config"
    assert (problem.place, problem.path) == ("test.yaml:11:7", "peers[0].hold")
    assert problem.hint is None or "hold" in problem.hint


def test_problem_between_objects() -> None:
    """A problem that shows only beside other objects has its place in the text too."""
    pools = """\
address-pools:
- {name: a, protocol: bgp, addresses: [10.0.0.0/24]}
- name: b
  protocol: bgp
  addresses:
  - 10.0.0.7/32
"""
    assert place(block("|", 4, pools)) == "test.yaml:12:9"
