"""Imports in general: what they print is valid, complete and the same every time."""

from __future__ import annotations

import pytest

from orchestrator.config.formats import parse_range
from orchestrator.config.imports.ranges import Taken
from orchestrator.config.imports.result import Imported, UnreadableImportError, duration, yaml_of
from orchestrator.config.imports.words import command
from tests.unit.config.imported import FORMATS, lost, reread, sample
from tests.unit.config.samples import errors


@pytest.mark.parametrize("format_name", FORMATS)
def test_round_trip(format_name: str) -> None:
    """What is made of a real-looking configuration is valid and waits for nothing."""
    imported = FORMATS[format_name][0](sample(format_name))
    reading = reread(imported)
    assert imported.made
    assert not errors(reading)
    assert {problem.severity.value for problem in reading.problems} <= {"warning"}


@pytest.mark.parametrize("format_name", FORMATS)
def test_losses_have_a_line_and_a_reason(format_name: str) -> None:
    """Whatever is not carried over is told with its line in the file, what it is and why."""
    text = sample(format_name)
    for entry in FORMATS[format_name][0](text).losses():
        assert 1 <= entry.line <= text.count(b"\n")
        assert entry.what
        assert entry.why


@pytest.mark.parametrize("format_name", FORMATS)
def test_same_bytes_every_time(format_name: str) -> None:
    """Two imports of one text are equal bytes."""
    reader, text = FORMATS[format_name][0], sample(format_name)
    first, second = reader(text), reader(text)
    assert yaml_of(first.ordered()) == yaml_of(second.ordered())
    assert first.losses() == second.losses()


@pytest.mark.parametrize("format_name", ["kube-vip", "purelb", "metallb-configmap"])
@pytest.mark.parametrize("text", ["", "a: 1\n", "{apiVersion: v1, kind: Pod}\n", "a: [\n"])
def test_another_file_is_unreadable(format_name: str, text: str) -> None:
    """A file that holds nothing of the system is refused, not taken for an empty one."""
    with pytest.raises(UnreadableImportError):
        FORMATS[format_name][0](text.encode())


@pytest.mark.parametrize("format_name", ["keepalived", "exabgp"])
@pytest.mark.parametrize("text", ["a {\n", "}\n", "a {\n" * 50])
def test_braces_must_pair(format_name: str, text: str) -> None:
    """A file whose braces do not pair is refused at a line."""
    with pytest.raises(UnreadableImportError):
        FORMATS[format_name][0](text.encode())


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (5.9, "5s"), (90, "1m30s"), (120, "2m0s"), (3700, "1h1m40s")]
)
def test_durations(seconds: float, text: str) -> None:
    """Times are written as Go writes them."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/bin/check -a 'b c'", ["/bin/check", "-a", "b c"]),
        ("check", ["/bin/sh", "-c", "check"]),
        ("/bin/a | /bin/b", ["/bin/sh", "-c", "/bin/a | /bin/b"]),
        ("/bin/a 'b", ["/bin/sh", "-c", "/bin/a 'b"]),
    ],
)
def test_commands(text: str, words: list[str]) -> None:
    """A command is run as it is; one that needs a shell or PATH gets a shell."""
    assert command(text) == words


def test_names_are_given_once() -> None:
    """Objects of one kind have names of their own, whatever they were called."""
    imported = Imported()
    names = [imported.name("BGPPeer", text) for text in ("a", "A", "a", "###", "")]
    assert names == ["a", "a-2", "a-3", "bgppeer", "bgppeer-2"]


def test_control_characters_stay_out() -> None:
    """What is quoted from an input does not reach the terminal raw, nor over several lines."""
    imported = Imported()
    imported.lose(1, "a\x1b[2J\nb", "c")
    assert lost(imported) == ["1: a [2J b"]


@pytest.mark.parametrize(
    ("texts", "taken"),
    [
        (["10.0.0.0/24", "10.0.1.0/24", "10.0.0.128/25"], [True, True, False]),
        (["10.0.0.9-10.0.0.20", "10.0.0.0-10.0.0.9", "10.0.0.0-10.0.0.8"], [True, False, True]),
        (["10.0.0.5/32", "10.0.0.0/8", "::/0"], [True, False, True]),
        (["10.0.0.0/8", "10.0.0.5/32", "11.0.0.0/32"], [True, False, True]),
    ],
)
def test_ranges_are_taken_once(texts: list[str], taken: list[bool]) -> None:
    """A range is taken unless it shares an address with one before it."""
    ranges = Taken()
    assert [ranges.take(parse_range(text)) for text in texts] == taken
