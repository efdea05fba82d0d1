"""Files and directories: what is read, what is trusted, truth and ignorance (DESIGN 4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.adapters import files
from orchestrator.adapters.files import Loaded, load
from orchestrator.model.problem import Severity


def names(loaded: Loaded) -> list[str]:
    """Names of the sources, without their directories."""
    return [Path(source.name).name for source in loaded.sources]


def texts(loaded: Loaded) -> dict[str, bytes]:
    """Texts by file name."""
    return {Path(source.name).name: source.text for source in loaded.sources}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Make a directory with two files."""
    made = tmp_path / "conf"
    made.mkdir()
    (made / "b.yaml").write_text("b")
    (made / "a.yml").write_text("a")
    return made


def test_directory_in_order_of_name(directory: Path) -> None:
    """Of a directory every .yaml, .yml and .json is read, sorted by name, nothing else."""
    for name in ("c.json", "notes.txt", ".hidden.yaml", "d.yaml~"):
        (directory / name).write_text("x")
    (directory / "sub.yaml").mkdir()
    loaded = load([directory])
    assert names(loaded) == ["a.yml", "b.yaml", "c.json"]
    assert loaded.problems == ()


def test_names_are_as_given(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources are called as the operator wrote them, relative paths included."""
    monkeypatch.chdir(directory.parent)
    loaded = load([Path("conf"), Path("conf/b.yaml"), Path("-")], stdin=b"x")
    assert [source.name for source in loaded.sources] == ["conf/a.yml", "conf/b.yaml", "-"]
    assert loaded.sources[-1].text == b"x"


def test_file_gone_from_a_directory_is_deleted(directory: Path) -> None:
    """A file that is gone from a readable directory is no source any more, and no problem."""
    before = load([directory])
    (directory / "a.yml").unlink()
    after = load([directory], before)
    assert names(after) == ["b.yaml"]
    assert after.problems == ()
    assert after.unread == ()


def test_named_file_that_is_missing_stays(directory: Path) -> None:
    """A file given by name that is missing keeps its last text, with an error that says so."""
    path = directory / "a.yml"
    before = load([path])
    path.unlink()
    after = load([path], before)
    assert texts(after) == {"a.yml": b"a"}
    assert after.unread == (str(path),)
    assert after.problems[0].severity is Severity.ERROR
    assert "stays in force" in after.problems[0].message
    assert load([path], after).sources == before.sources


def test_directory_that_is_missing_stays(directory: Path) -> None:
    """All files of a directory that is gone, or is no directory any more, stay."""
    before = load([directory])
    directory.rename(directory.with_name("away"))
    after = load([directory], before)
    assert after.sources == before.sources
    assert after.unread == (str(directory),)


def test_unreadable_directory_stays(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that may not be listed keeps what was known of it."""
    before = load([directory])

    def refuse(path: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "members", refuse)
    after = load([directory], before)
    assert after.sources == before.sources
    assert "Permission denied" in after.problems[0].message


def test_unreadable_file_in_a_directory_stays(directory: Path) -> None:
    """A file of a directory that cannot be read keeps its text; the others are read anew."""
    before = load([directory])
    (directory / "a.yml").unlink()
    (directory / "a.yml").symlink_to("nowhere")
    (directory / "b.yaml").write_text("new")
    after = load([directory], before)
    assert texts(after) == {"a.yml": b"a", "b.yaml": b"new"}
    assert after.unread == (str(directory / "a.yml"),)


def test_nothing_known_and_nothing_there(tmp_path: Path) -> None:
    """A missing file that was never read is a problem and no source."""
    loaded = load([tmp_path / "a.yaml"])
    assert loaded.sources == ()
    assert loaded.problems[0].message == "cannot be read: No such file or directory"


def test_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    """A named pipe, which nobody may ever write, is refused instead of waited for."""
    os.mkfifo(tmp_path / "a.yaml")
    loaded = load([tmp_path / "a.yaml", Path("/dev/zero")])
    assert loaded.sources == ()
    assert [problem.message for problem in loaded.problems] == [
        "cannot be read: it is not a regular file"
    ] * 2


def test_process_substitution_is_read_but_not_trusted() -> None:
    """`-f <(command)` works: the pipe is under /dev/fd."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"text")
        os.close(writer)
        source = load([Path(f"/dev/fd/{reader}")]).sources[0]
    finally:
        os.close(reader)
    assert (source.text, source.trusted) == (b"text", False)


@pytest.mark.parametrize(("mode", "trusted"), [(0o644, True), (0o600, True), (0o666, False)])
def test_files_that_others_may_write_are_not_trusted(
    tmp_path: Path, mode: int, trusted: bool
) -> None:
    """A file that everybody may write is read, but not trusted."""
    path = tmp_path / "a.yaml"
    path.write_text("x")
    path.chmod(mode)
    assert load([path]).sources[0].trusted is trusted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_others_are_not_trusted(tmp_path: Path) -> None:
    """A file that belongs to another user is not trusted."""
    path = tmp_path / "a.yaml"
    path.write_text("x")
    os.chown(path, 65534, 65534)
    assert not load([path]).sources[0].trusted


def test_endless_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file beyond the limit only a little more than the limit is read."""
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    monkeypatch.setattr(files, "_CHUNK", 400)
    path = tmp_path / "a.yaml"
    path.write_bytes(b"x" * 100_000)
    assert 1000 < len(load([path]).sources[0].text) <= 1400
