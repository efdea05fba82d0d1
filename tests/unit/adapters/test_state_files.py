"""Files that outlive a process: replaced whole, read with suspicion, refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.errors import AdapterError
from orchestrator.adapters.state_files import make_directory, read_json, write_file, write_json


def test_written_is_read_back_and_private(tmp_path: Path) -> None:
    """What was written is read back; others cannot read it; nothing else is left behind."""
    path = tmp_path / "state.json"
    write_json(path, {"a": [1]})
    write_json(path, {"b": [2]})
    assert read_json(path) == {"b": [2]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", [b"", b'{"a":', b"\xff\xfe"])
def test_what_is_no_json_is_nothing(tmp_path: Path, content: bytes) -> None:
    """A missing, empty, half written or foreign file reads as nothing."""
    path = tmp_path / "state.json"
    assert read_json(path) is None
    path.write_bytes(content)
    assert read_json(path) is None


def test_what_cannot_be_written_is_said_with_its_place(tmp_path: Path) -> None:
    """A directory in the way is an error that names it; the old content stays."""
    with pytest.raises(AdapterError, match=r"gone.*cannot be written"):
        write_json(tmp_path / "gone" / "state.json", {})
    with pytest.raises(AdapterError, match="cannot make this directory"):
        make_directory(Path("/proc/none"))


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new text takes the old one's place with mode 0600, and nothing else is left."""
    path = tmp_path / "exabgp.conf"
    path.write_text("old")
    path.chmod(0o644)
    write_file(path, b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
