"""The language of scenario files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios import txtar
from tests.scenarios.script import Step, read


def test_archive_splits_into_comment_and_files() -> None:
    """A marker line begins a file; everything else, dashes too, belongs to what it stands in."""
    archive = txtar.parse("hello\n-- a.yaml --\nx: 1\n---\ny: 2\n-- b c --  \n--no marker--\n")
    assert archive.comment == "hello\n"
    assert archive.files == {"a.yaml": "x: 1\n---\ny: 2\n", "b c": "--no marker--\n"}


def test_archive_with_one_name_twice_is_refused() -> None:
    """Two files of one name would hide each other."""
    with pytest.raises(ValueError, match="two files are named a"):
        txtar.parse("-- a --\n-- a --\n")


def test_script_has_expectations_below_steps(tmp_path: Path) -> None:
    """Indented lines belong to the step above; comments and spaces do not count."""
    path = tmp_path / "x.txtar"
    path.write_text(
        "# a story\non a b\nrouter r as 1 expects 2 password s\n\nwrite f as g\n"
        "routes  # all of them\n  b   r 192.0.2.1/32\n  a r 192.0.2.1/32\n-- f --\n"
    )
    scenario = read(path)
    assert scenario.nodes == ("a", "b")
    assert (scenario.routers[0].expects, scenario.routers[0].password) == (2, "s")
    assert scenario.steps[1] == Step(
        "x.txtar:6", "routes", (), ("a r 192.0.2.1/32", "b r 192.0.2.1/32")
    )


@pytest.mark.parametrize("line", ["wrote f", "write", "write g", "routes now", "delete f\n  x"])
def test_line_that_means_nothing_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    """A step that is misspelt, or lacks what it needs, cannot pass unnoticed."""
    path = tmp_path / "x.txtar"
    path.write_text(f"# a story\n{line}\n-- f --\n")
    with pytest.raises(ValueError, match=r"x\.txtar:2: cannot do"):
        read(path)
